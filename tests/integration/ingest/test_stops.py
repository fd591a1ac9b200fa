"""Calling jobs off: one suite over the shipped fake and PostgreSQL with the ledger's views."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from pipeline.contracts import ids, states
from pipeline.stream.ports import Delivered
from pipeline.testing import samples
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.adapters.memory_clients import MemoryClients
from services.ingest.adapters.memory_runs import MemoryRuns
from services.ingest.adapters.memory_stops import MemoryStops
from services.ingest.adapters.postgres import (
    Database,
    PostgresClients,
    PostgresJobs,
    PostgresOutbox,
    PostgresRuns,
    PostgresStops,
    PostgresSubmissions,
)
from services.ingest.jobs import Job, Outcome
from services.ingest.runs import CALLED_OFF, FAILED, Refused, Runs, Started
from services.ingest.stops import Ended, Stop, Stopping, Stops
from tests.integration.databases import DATABASES
from tests.integration.ingest.ledger_events import record
from tests.integration.ingest.repositories import Repositories, submission


@dataclass(frozen=True)
class House:
    """Ingest's tables; `say` has the ledger say something of a run."""

    stops: Stops
    runs: Runs
    repositories: Repositories
    say: Callable[[str, int, str], None]

    def submitted(self, *, announced: bool = False) -> str:
        given = submission()
        self.repositories.submissions.submit(given, None)
        if announced:
            with self.repositories.outbox.turn() as turn:
                assert turn is not None
                (row,) = turn.waiting("normal", 9, {})
                turn.mark_sent([row.outbox_id], "c", [Delivered("audio.uploaded", 0, 0)])
        return given.job_id

    def job(self, job_id: str) -> Job:
        found = self.repositories.jobs.fetch("acme", job_id)
        assert found is not None
        return found

    def open(self) -> tuple[int, int]:
        """Outbox rows: never announced, announced and open."""
        with self.repositories.outbox.turn() as turn:
            assert turn is not None
            turn.close_finished()
            return len(turn.waiting("normal", 9, {})), len(turn.sent())

    def due(self) -> list[Stop]:
        with self.stops.turn() as turn:
            assert turn is not None
            turn.settle()
            return turn.due(10)


def memory() -> House:
    submissions = MemorySubmissions()

    def say(job_id: str, run: int, state: str) -> None:
        submissions.outcomes[job_id] = Outcome(run=run, state=state)

    repositories = Repositories(MemoryClients(), submissions, submissions, submissions).with_client()
    stops = MemoryStops(submissions, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    return House(stops, MemoryRuns(submissions), repositories, say)


def postgres(database: Database, urls: DatabaseUrls) -> House:
    def say(job_id: str, run: int, state: str) -> None:
        envelope = {"client_id": "acme", "accepted_at": samples.ACCEPTED_AT}
        reason = "no_audio" if state == states.FAILED else None
        record(urls.ledger, samples.job_status(job_id, run, state, reason=reason, completion=None, **envelope))

    repositories = Repositories(
        PostgresClients(database), PostgresSubmissions(database), PostgresJobs(database), PostgresOutbox(database)
    ).with_client()
    return House(PostgresStops(database), PostgresRuns(database), repositories, say)


@pytest.fixture(params=DATABASES)
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    if request.param == "memory":
        yield memory()
    else:
        yield postgres(request.getfixturevalue("database"), request.getfixturevalue("migrated"))


def canceled(answer: Stopping | Ended | None) -> Stopping:
    assert isinstance(answer, Stopping)
    return answer


def test_canceling_what_was_not_announced_takes_it_off_the_list_and_has_it_told(house: House) -> None:
    job_id = house.submitted()
    answer = canceled(house.stops.cancel("acme", job_id))
    assert (answer.run, answer.state, house.job(job_id).outcome.state) == (1, "canceling", "canceling")
    assert house.open() == (0, 0)
    (stop,) = house.due()
    assert (stop.job_id, stop.run, stop.state, list(stop.runs)) == (job_id, 1, "canceled", [1])
    assert (stop.event.event_id, stop.event.state) == (ids.event_id(job_id, 1, "job.status:canceled"), "canceled")
    assert house.stops.cancel("acme", job_id) == answer


def test_what_was_announced_keeps_its_place_until_the_ledger_says_how_it_ended(house: House) -> None:
    job_id = house.submitted(announced=True)
    house.say(job_id, 1, states.TRANSCRIBING)
    canceled(house.stops.cancel("acme", job_id))
    assert house.open() == (0, 1)
    house.say(job_id, 1, states.CANCELED)
    assert (house.open(), house.job(job_id).outcome.state) == ((0, 0), "canceled")
    assert canceled(house.stops.cancel("acme", job_id)).state == "canceled"


@pytest.mark.parametrize("state", [states.FAILED, states.COMPLETED])
def test_what_has_ended_stays_as_it_is(house: House, state: str) -> None:
    job_id = house.submitted()
    house.say(job_id, 1, state)
    assert house.stops.cancel("acme", job_id) == Ended(state)
    assert (house.due(), house.job(job_id).outcome.state) == ([], state)


def test_a_stop_is_told_until_the_ledger_shows_it(house: House) -> None:
    job_id = house.submitted()
    house.stops.cancel("acme", job_id)
    with house.stops.turn() as turn:
        assert turn is not None
        stops = turn.due(10)
        turn.mark_told(stops)
    assert (len(stops), house.due()) == (1, [])  # again in a while
    for state in (states.TRANSCRIBING, states.FAILED):
        house.say(job_id, 1, state)
        house.due()
    house.say(job_id, 1, states.CANCELED)
    assert house.due() == []


def test_a_requeued_job_is_on_its_way_again_and_its_earlier_run_stays_called_off(house: House) -> None:
    job_id = house.submitted()
    house.stops.cancel("acme", job_id)
    assert house.runs.start(job_id, allowed=FAILED) == Refused(job_id, "canceling")
    assert house.runs.start(job_id, allowed=CALLED_OFF) == Started(job_id, 2)
    assert (house.job(job_id).outcome.run, house.job(job_id).outcome.state) == (2, "queued")
    assert [stop.run for stop in house.due()] == [1]
    assert canceled(house.stops.cancel("acme", job_id)).run == 2
    assert house.job(job_id).outcome.state == "canceling"


@pytest.mark.parametrize("announced", [False, True])
@pytest.mark.parametrize(
    "state", [None, states.TRANSCRIBING, states.TRANSCRIBED, states.FAILED, states.CANCELED, states.COMPLETED]
)
def test_an_erased_job_names_nobody_is_announced_no_more_and_can_be_erased_again(
    house: House, state: str | None, *, announced: bool
) -> None:
    job_id = house.submitted(announced=announced)
    if state is not None:
        house.say(job_id, 1, state)
    answer = house.stops.erase("acme", job_id)
    assert answer is not None
    assert (answer.run, answer.state) == (1, "erased")
    job = house.job(job_id)
    assert (job.outcome.state, job.erasure is not None) == ("erased", True)
    assert (job.file_name, job.started_at, job.direction, job.operator) == (None, None, None, None)
    assert (job.customer_number, job.queue, job.metadata) == (None, None, {})
    assert house.open() == (0, 0)
    assert house.stops.erase("acme", job_id) == answer
    assert house.stops.cancel("acme", job_id) == Ended("erased")
    assert house.runs.start(job_id, allowed=CALLED_OFF) == Refused(job_id, "erased")
    assert [(stop.state, stop.event.state) for stop in house.due()] == [("erased", "erased")]
    house.say(job_id, 1, states.COMPLETED)  # a late result
    assert (house.job(job_id).outcome.state, len(house.due())) == ("erased", 1)
    house.say(job_id, 1, states.ERASED)
    assert house.due() == []


def test_erasing_calls_off_every_run_there_was(house: House) -> None:
    job_id = house.submitted()
    house.say(job_id, 1, states.FAILED)
    house.runs.start(job_id, allowed=FAILED)
    house.stops.erase("acme", job_id)
    (stop,) = house.due()
    assert (stop.run, list(stop.runs), stop.event.run) == (2, [1, 2], 2)


def test_another_clients_job_is_no_job(house: House) -> None:
    job_id = house.submitted()
    assert house.stops.cancel("other", job_id) is None
    assert house.stops.erase("other", job_id) is None
    assert house.stops.erase("acme", "none") is None
    assert (house.job(job_id).outcome.state, house.due()) == ("queued", [])


def test_those_who_ask_at_once_get_one_answer(house: House) -> None:
    job_id = house.submitted()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: house.stops.erase("acme", job_id), range(16)))
    assert len(set(answers)) == 1
    assert len(house.due()) == 1


def test_nothing_that_named_people_is_left_in_any_table(database: Database, migrated: DatabaseUrls) -> None:
    house = postgres(database, migrated)
    job_id = house.submitted(announced=True)
    house.say(job_id, 1, states.TRANSCRIBING)
    house.stops.erase("acme", job_id)
    with psycopg.connect(migrated.admin) as connection:
        tables = [
            name
            for (name,) in connection.execute(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('ingest', 'ledger')"
            )
        ]
        assert "ingest.submissions" in tables
        for table in tables:
            text = "".join(row for (row,) in connection.execute(f"SELECT t::text FROM {table} t"))  # noqa: S608  names of the catalogue
            assert not any(word in text for word in ("Анна", "+7 900", "etc/x", "знач")), table


def test_what_was_told_and_is_not_shown_is_told_again_ever_more_seldom(
    database: Database, migrated: DatabaseUrls
) -> None:
    house = postgres(database, migrated)
    house.stops.cancel("acme", house.submitted())
    for pause_s in (30, 60, 120):
        with house.stops.turn() as turn:
            assert turn is not None
            turn.mark_told(turn.due(10))
        for ago, due in ((timedelta(seconds=pause_s - 5), 0), (timedelta(seconds=pause_s + 5), 1)):
            with psycopg.connect(migrated.ingest) as connection:
                connection.execute("UPDATE ingest.stops SET told_at = now() - %s", (ago,))
            assert len(house.due()) == due
