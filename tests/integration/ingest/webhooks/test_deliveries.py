"""Deliveries: one suite over the shipped fake and PostgreSQL, whose ledger leaves the notes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import psycopg
import pytest

from pipeline.contracts import states
from pipeline.testing import samples
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.adapters.memory_clients import MemoryClients
from services.ingest.adapters.memory_webhooks import MemoryWebhooks
from services.ingest.adapters.postgres import (
    Database,
    PostgresClients,
    PostgresDeliveries,
    PostgresSubmissions,
    PostgresWebhookBook,
)
from services.ingest.clients import Client
from services.ingest.jobs import Outcome
from services.ingest.ports import Clients, Submissions
from services.ingest.webhooks.deliveries import Claimed, Deliveries, WebhookBook, webhook_id_of
from services.ingest.webhooks.verdicts import DELIVERED, PENDING, REFUSED, Answered, Verdict
from tests.integration.databases import DATABASES
from tests.integration.ingest.ledger_events import record
from tests.integration.ingest.repositories import submission

BUSY = Answered(status_code=503)
TAKEN = Answered(status_code=200)


@dataclass(frozen=True)
class House:
    """`end` has the ledger say so; `pass_time` lets the database's clock go on."""

    clients: Clients
    submissions: Submissions
    deliveries: Deliveries
    book: WebhookBook
    end: Callable[[str, datetime, str, str], None]
    pass_time: Callable[[timedelta], None]

    def job(self, client_id: str = "acme", state: str = states.COMPLETED) -> str:
        """A job at its end."""
        accepted = self.submissions.submit(submission(client_id), None)
        self.end(accepted.job_id, accepted.accepted_at, state, client_id)
        return accepted.job_id

    def claim(self, limit: int = 100, each: int = 100, busy: tuple[str, ...] = ()) -> list[Claimed]:
        self.deliveries.collect(1000)
        return self.deliveries.claim(limit, each, busy)


def _memory() -> House:
    began, gone = datetime.fromisoformat("2026-11-26T12:00:00+00:00"), [timedelta()]

    def now() -> datetime:
        return began + gone[0]

    def pass_time(time: timedelta) -> None:
        gone[0] += time

    submissions, clients = MemorySubmissions(now), MemoryClients(now)
    webhooks = MemoryWebhooks(submissions, clients, now)

    def end(job_id: str, _accepted_at: datetime, state: str, _client_id: str) -> None:
        reason = "no_audio" if state == states.FAILED else None
        submissions.outcomes[job_id] = Outcome(run=1, state=state, reason=reason)

    return House(clients, submissions, webhooks, webhooks, end, pass_time)


def _postgres(database: Database, urls: DatabaseUrls) -> House:
    def end(job_id: str, accepted_at: datetime, state: str, client_id: str) -> None:
        record(urls.ledger, samples.job_status(job_id, 1, state, client_id=client_id, accepted_at=accepted_at))

    def pass_time(time: timedelta) -> None:
        with psycopg.connect(urls.ingest, autocommit=True) as connection:
            connection.execute(
                """UPDATE ingest.webhook_deliveries SET created_at = created_at - %(t)s, due_at = due_at - %(t)s,
                expires_at = expires_at - %(t)s, attempted_at = attempted_at - %(t)s, settled_at = settled_at - %(t)s""",
                {"t": time},
            )

    deliveries, book = PostgresDeliveries(database), PostgresWebhookBook(database)
    return House(PostgresClients(database), PostgresSubmissions(database), deliveries, book, end, pass_time)


@pytest.fixture(params=DATABASES)
def house(request: pytest.FixtureRequest) -> House:
    made = (
        _memory()
        if request.param == "memory"
        else _postgres(request.getfixturevalue("database"), request.getfixturevalue("migrated"))
    )
    for name in ("acme", "other"):
        made.clients.create(Client(client_id=name, name=name, webhook_url=f"https://{name}.example/"))
    made.clients.create(Client(client_id="silent", name="silent"))
    return made


@pytest.mark.parametrize(
    ("state", "reason"), [("completed", None), ("failed", "no_audio"), ("canceled", None), ("erased", None)]
)
def test_an_end_becomes_one_delivery(house: House, state: str, reason: str | None) -> None:
    job_id = house.job(state=state)
    assert [house.deliveries.collect(10), house.deliveries.collect(10)] == [1, 0]
    (one,) = house.book.page("acme")
    assert (one.webhook_id, one.job_id, one.run, one.state, one.reason, one.status, one.attempts) == (
        webhook_id_of(job_id, 1, state),
        job_id,
        1,
        state,
        reason,
        PENDING,
        0,
    )


def test_each_state_of_a_job_is_told_once_however_often_the_ledger_hears_of_it(house: House) -> None:
    accepted = house.submissions.submit(submission(), None)
    for state in ("failed", "failed", "completed", "erased", "erased"):
        house.end(accepted.job_id, accepted.accepted_at, state, "acme")
        house.deliveries.collect(10)
    assert sorted(str(one.state) for one in house.book.page("acme")) == ["completed", "erased", "failed"]


def test_what_is_under_way_and_whoever_has_no_address_make_no_delivery(house: House) -> None:
    accepted = house.submissions.submit(submission(), None)
    house.end(accepted.job_id, accepted.accepted_at, states.TRANSCRIBING, "acme")
    house.job("silent")
    house.deliveries.collect(10)
    assert house.book.page(None) == []


def test_what_is_claimed_is_nobody_elses_until_the_claim_runs_out(house: House) -> None:
    house.job()
    (mine,) = house.claim()
    assert (mine.url, mine.attempt, mine.secrets) == ("https://acme.example/", 1, ())
    assert 86_000 < mine.left_s <= 86_400
    assert house.claim() == []
    house.pass_time(timedelta(minutes=3))
    (again,) = house.claim()
    assert (again.delivery.webhook_id, again.attempt) == (mine.delivery.webhook_id, 2)
    # The first one comes back from the dead: the second one's word counts.
    house.deliveries.mark(mine, BUSY, Verdict(REFUSED))
    assert house.book.page("acme")[0].status == PENDING
    house.deliveries.mark(again, TAKEN, Verdict(DELIVERED))
    (told,) = house.book.page("acme")
    assert (told.status, told.status_code, told.attempts, told.settled_at is not None) == (DELIVERED, 200, 2, True)


def test_what_is_to_be_tried_again_is_due_after_its_pause(house: House) -> None:
    house.job()
    (mine,) = house.claim()
    house.deliveries.mark(mine, BUSY, Verdict(PENDING, 60.0))
    assert house.claim() == []
    house.pass_time(timedelta(seconds=61))
    assert [one.attempt for one in house.claim()] == [2]


def test_a_client_gets_its_share_and_the_busy_none(house: House) -> None:
    for _ in range(5):
        house.job()
    house.job("other")
    assert sorted(one.delivery.client_id for one in house.claim(each=2)) == ["acme", "acme", "other"]
    assert house.claim(busy=("acme",)) == []
    assert [one.delivery.client_id for one in house.claim(limit=2)] == ["acme", "acme"]


def test_an_address_that_is_gone_is_told(house: House) -> None:
    house.job()
    house.deliveries.collect(10)
    house.clients.change("acme", lambda client: replace(client, webhook_url=None))
    assert [one.url for one in house.claim()] == [None]


def test_a_replay_is_due_now_for_another_day_and_counts_its_attempts_anew(house: House) -> None:
    house.job()
    (mine,) = house.claim()
    house.deliveries.mark(mine, Answered(status_code=410), Verdict(REFUSED))
    house.pass_time(timedelta(days=2))
    replayed = house.book.replay("acme", mine.delivery.webhook_id)
    assert replayed is not None
    assert (replayed.status, replayed.settled_at) == (PENDING, None)
    (again,) = house.claim()
    assert (again.attempt, again.claim) == (1, 2)
    assert again.left_s > 86_000
    # What is being tried is left alone.
    assert house.book.replay("acme", mine.delivery.webhook_id) is not None
    assert house.claim() == []


def test_what_waits_is_due_when_it_is_replayed(house: House) -> None:
    house.job()
    (mine,) = house.claim()
    house.deliveries.mark(mine, BUSY, Verdict(PENDING, 3600.0))
    house.book.replay("acme", mine.delivery.webhook_id)
    assert len(house.claim()) == 1


def test_another_clients_deliveries_are_none(house: House) -> None:
    house.job("other")
    (theirs,) = house.claim()
    webhook_id = theirs.delivery.webhook_id
    assert house.book.page("acme") == []
    assert house.book.find("acme", webhook_id) is None
    assert house.book.replay("acme", webhook_id) is None
    assert [one.webhook_id for one in house.book.page(None)] == [webhook_id]
    assert house.book.replay(None, webhook_id) is not None


def test_pages_go_on_behind_the_last_one(house: House) -> None:
    for _ in range(5):
        house.job()
        house.deliveries.collect(10)
        house.pass_time(timedelta(seconds=1))
    first = house.book.page("acme", limit=2)
    rest = house.book.page("acme", after=first[-1].webhook_id)
    assert (len(first), len(rest)) == (2, 3)
    assert len({one.webhook_id for one in (*first, *rest)}) == 5
    assert house.book.page("acme", after=str(uuid.uuid4())) == []


def test_two_secrets_live_at_once_and_the_old_one_can_be_retired(house: House) -> None:
    for number in range(3):
        assert house.book.rotate("acme", f"whsec_{number}")
    assert house.book.test("acme", str(uuid.uuid4())) is not None
    (mine,) = house.claim()
    assert mine.secrets == ("whsec_2", "whsec_1")
    assert house.book.retire("acme")
    house.pass_time(timedelta(minutes=3))
    assert [one.secrets for one in house.claim()] == [("whsec_2",)]
    assert not house.book.rotate("nobody", "whsec_0")
    assert house.book.test("silent", str(uuid.uuid4())) is None


def test_what_was_settled_a_month_ago_is_forgotten(house: House) -> None:
    house.job()
    (mine,) = house.claim()
    house.deliveries.mark(mine, TAKEN, Verdict(DELIVERED))
    house.job()
    house.deliveries.collect(10)
    house.pass_time(timedelta(days=31))
    assert house.deliveries.prune() == 1
    assert len(house.book.page("acme")) == 1


def test_replicas_that_claim_at_once_share_the_work_out(database: Database, migrated: DatabaseUrls) -> None:
    house = _postgres(database, migrated)
    house.clients.create(Client(client_id="acme", name="acme", webhook_url="https://acme.example/"))
    jobs = [house.job() for _ in range(40)]
    with ThreadPoolExecutor(4) as replicas:
        noted = list(replicas.map(lambda _: house.deliveries.collect(7), range(12)))
        claimed = [one for some in replicas.map(lambda _: house.deliveries.claim(7, 7, []), range(12)) for one in some]
    assert sum(noted) == 40
    assert len(claimed) == 40
    assert {str(one.delivery.job_id) for one in claimed} == set(jobs)
