"""Quotas, bounds and rates: one suite over the shipped fake and PostgreSQL, whose clock says which day it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import psycopg
import pytest

from pipeline.contracts import states
from pipeline.stream.ports import Delivered
from pipeline.testing import samples
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.adapters.memory_clients import MemoryClients
from services.ingest.adapters.memory_rates import MemoryRates
from services.ingest.adapters.postgres import (
    Database,
    PostgresClients,
    PostgresJobs,
    PostgresOutbox,
    PostgresRates,
    PostgresSubmissions,
)
from services.ingest.clients import Client, Quota
from services.ingest.jobs import Outcome
from services.ingest.listing import ANYTHING
from services.ingest.problems import QUOTA_EXCEEDED, Problem
from services.ingest.rates import Rate, Rates
from services.ingest.submissions import Submission
from tests.integration.databases import DATABASES
from tests.integration.ingest.ledger_events import record
from tests.integration.ingest.repositories import Repositories, submission

MINUTE_MS = 60_000


@dataclass(frozen=True)
class House:
    """Ingest's tables and a ledger: `bill` ends a job as completed, `end` without a bill; `bound` sets concurrent jobs."""

    repositories: Repositories
    rates: Rates
    bill: Callable[[str, datetime, int], None]
    end: Callable[[str, datetime], None]
    bound: Callable[[str, int], None]

    def submit(self, quota: Quota, minutes: float = 1.0, client_id: str = "acme") -> tuple[str, datetime]:
        given = minutes_of(minutes, client_id)
        accepted = self.repositories.submissions.submit(given, None, quota)
        return accepted.job_id, accepted.accepted_at

    def fits(self, quota: Quota, minutes: float = 1.0) -> bool:
        try:
            self.submit(quota, minutes)
        except Problem as refusal:
            if refusal.kind != QUOTA_EXCEEDED:
                raise
            return False
        return True

    def announce(self) -> list[str]:
        """Announce all that there is room for; whose jobs."""
        with self.repositories.outbox.turn() as turn:
            assert turn is not None
            turn.close_finished()
            rows = turn.waiting("normal", 100, turn.rooms())
            turn.mark_sent([row.outbox_id for row in rows], "c", [Delivered("audio.uploaded", 0, 0)] * len(rows))
        return [row.event.client_id for row in rows]


def minutes_of(minutes: float, client_id: str = "acme") -> Submission:
    given = submission(client_id)
    return replace(given, audio=replace(given.audio, declared_duration_ms=round(minutes * MINUTE_MS)))


def memory() -> House:
    submissions = MemorySubmissions()

    def bill(job_id: str, accepted_at: datetime, duration_ms: int) -> None:
        submissions.outcomes[job_id] = Outcome(run=1, state=states.COMPLETED)
        submissions.billed.append(("acme", accepted_at, duration_ms))

    def end(job_id: str, _accepted_at: datetime) -> None:
        submissions.outcomes[job_id] = Outcome(run=1, state=states.FAILED)

    def bound(client_id: str, jobs: int) -> None:
        submissions.concurrent_jobs[client_id] = jobs

    return House(Repositories(MemoryClients(), submissions, submissions, submissions), MemoryRates(), bill, end, bound)


def postgres(database: Database, urls: DatabaseUrls) -> House:
    def bill(job_id: str, accepted_at: datetime, duration_ms: int) -> None:
        envelope = {"client_id": "acme", "accepted_at": accepted_at}
        done = samples.completion().model_copy(update={"duration_ms": duration_ms})
        record(urls.ledger, samples.job_status(job_id, 1, states.COMPLETED, completion=done, **envelope))

    def end(job_id: str, accepted_at: datetime) -> None:
        envelope = {"client_id": "acme", "accepted_at": accepted_at}
        record(urls.ledger, samples.job_status(job_id, 1, states.FAILED, reason="no_audio", **envelope))

    def bound(client_id: str, jobs: int) -> None:
        clients = PostgresClients(database)
        clients.change(client_id, lambda client: replace(client, quota=Quota(concurrent_jobs=jobs)))

    repositories = Repositories(
        PostgresClients(database), PostgresSubmissions(database), PostgresJobs(database), PostgresOutbox(database)
    )
    return House(repositories, PostgresRates(database), bill, end, bound)


@pytest.fixture(params=DATABASES)
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    if request.param == "memory":
        yield memory()
    else:
        yield postgres(request.getfixturevalue("database"), request.getfixturevalue("migrated"))


def with_quota(house: House, quota: Quota) -> Quota:
    house.repositories.with_client(Client(client_id="acme", name="Acme", quota=quota))
    return quota


def test_what_is_accepted_is_reserved_until_the_limit(house: House) -> None:
    quota = with_quota(house, Quota(daily_minutes=3))
    assert [house.fits(quota) for _ in range(4)] == [True, True, True, False]


def test_a_refusal_says_what_is_used_and_keeps_nothing(house: House) -> None:
    quota = with_quota(house, Quota(monthly_minutes=2))
    house.submit(quota, 1.5)
    with pytest.raises(Problem) as caught:
        house.submit(quota)
    facts = caught.value.facts
    assert (facts["period"], facts["limit_minutes"], facts["used_minutes"]) == ("month", 2, 1.5)
    ends_at = datetime.fromisoformat(str(facts["ends_at"]))
    assert (ends_at.day, ends_at.hour, ends_at.minute, ends_at.utcoffset()) == (1, 0, 0, timedelta(0))
    assert len(house.repositories.jobs.page("acme", ANYTHING, after=None, limit=9)) == 1
    assert house.fits(quota, 0.5)


def test_the_ledgers_figure_takes_the_place_of_the_reservation(house: House) -> None:
    quota = with_quota(house, Quota(daily_minutes=3, monthly_minutes=3))
    job_id, accepted_at = house.submit(quota, 3)
    house.announce()
    house.bill(job_id, accepted_at, MINUTE_MS)
    assert not house.fits(quota)  # until the relay has closed it, both count: never too little
    house.announce()
    assert [house.fits(quota) for _ in range(3)] == [True, True, False]


def test_a_job_that_failed_gives_its_reservation_back(house: House) -> None:
    quota = with_quota(house, Quota(daily_minutes=1))
    job_id, accepted_at = house.submit(quota)
    house.announce()
    assert not house.fits(quota)
    house.end(job_id, accepted_at)
    house.announce()
    assert house.fits(quota)


def test_what_was_billed_for_earlier_days_and_months_does_not_count(house: House) -> None:
    quota = with_quota(house, Quota(daily_minutes=1, monthly_minutes=1))
    job_id, accepted_at = house.submit(quota)
    house.announce()
    house.bill(job_id, accepted_at - timedelta(days=62), 50 * MINUTE_MS)
    house.announce()
    assert house.fits(quota)


def test_without_a_quota_nothing_is_refused(house: House) -> None:
    quota = with_quota(house, Quota(concurrent_jobs=1))
    assert all(house.fits(quota, 100_000) for _ in range(3))


def test_many_at_once_never_pass_the_limit(house: House) -> None:
    quota = with_quota(house, Quota(daily_minutes=10))
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: house.fits(quota), range(40)))
    assert sum(answers) == 10


def test_a_bound_on_jobs_at_once_delays_announcing_and_nobody_else(house: House) -> None:
    quota = with_quota(house, Quota(concurrent_jobs=2))
    house.repositories.with_client(Client(client_id="other", name="Other"))
    house.bound("acme", 2)
    accepted = [house.submit(quota) for _ in range(4)]
    for _ in range(3):
        house.submit(Quota(), client_id="other")
    assert sorted(house.announce()) == ["acme"] * 2 + ["other"] * 3
    assert house.announce() == []
    house.end(*accepted[0])
    assert house.announce() == ["acme"]
    house.end(*accepted[1])
    house.end(*accepted[2])
    assert house.announce() == ["acme"]


def test_a_client_without_room_hides_nobody(house: House) -> None:
    with_quota(house, Quota(concurrent_jobs=1))
    house.repositories.with_client(Client(client_id="other", name="Other"))
    house.bound("acme", 1)
    house.submit(Quota())
    house.announce()
    house.submit(Quota())
    house.submit(Quota(), client_id="other")
    with house.repositories.outbox.turn() as turn:
        assert turn is not None
        (row,) = turn.waiting("normal", 1, turn.rooms())
    assert row.event.client_id == "other"


def test_many_requests_at_once_get_what_the_bucket_holds(house: House) -> None:
    rate = Rate(20)
    with ThreadPoolExecutor(16) as threads:
        taken = list(threads.map(lambda _: house.rates.take("acme", rate), range(60)))
    allowed = sum(each.allowed for each in taken)
    assert 20 <= allowed <= 21  # the bucket fills by one in three seconds
    assert max(each.remaining(rate) for each in taken if each.allowed) == 19
    assert all(each.wait_s(rate) <= 3.0 for each in taken)
    assert house.rates.take("other", rate).allowed


def test_a_rate_that_was_never_asked_for_is_whole(house: House) -> None:
    taken = house.rates.take("acme", Rate(1))
    assert (taken.allowed, taken.remaining(Rate(1)), taken.reset_s()) == (True, 0, 60)
    assert not house.rates.take("acme", Rate(1)).allowed


def test_the_release_before_reserves_nothing_and_goes_on(database: Database, migrated: DatabaseUrls) -> None:
    house = postgres(database, migrated)
    quota = with_quota(house, Quota(daily_minutes=1))
    job_id, _accepted_at = house.submit(Quota(), 5)
    with psycopg.connect(migrated.ingest) as connection:
        connection.execute("DELETE FROM ingest.outbox")
        connection.execute(
            "INSERT INTO ingest.outbox (job_id, run, client_id, priority, topic, event) VALUES (%s, 1, 'acme', 'normal', 't', '{}')",
            (job_id,),
        )
    assert house.fits(quota)
