"""New runs of a job: one suite over the shipped fake and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from pipeline.contracts import ids, states
from pipeline.contracts.events import AudioUploaded
from pipeline.testing import samples
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest import admin
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.adapters.memory_clients import MemoryClients
from services.ingest.adapters.memory_runs import MemoryRuns
from services.ingest.adapters.postgres import (
    Database,
    PostgresClients,
    PostgresJobs,
    PostgresOutbox,
    PostgresRuns,
    PostgresSubmissions,
)
from services.ingest.jobs import Job, Outcome
from services.ingest.runs import FAILED, GIVEN_UP, REPROCESSED, Refused, Runs, Started
from tests.integration.databases import DATABASES
from tests.integration.ingest.ledger_events import record
from tests.integration.ingest.repositories import Repositories, submission


@dataclass(frozen=True)
class House:
    """Ingest's tables, and a ledger that says of a run what a test wants."""

    runs: Runs
    repositories: Repositories
    say: Callable[[str, int, str, str | None], None]

    def submitted(self) -> str:
        given = submission()
        self.repositories.submissions.submit(given, None)
        return given.job_id

    def ended(self, state: str, reason: str | None = None) -> str:
        """A job whose first run ended so."""
        job_id = self.submitted()
        self.say(job_id, 1, state, reason)
        return job_id

    def job(self, job_id: str) -> Job:
        found = self.repositories.jobs.fetch("acme", job_id)
        assert found is not None
        return found

    def waiting(self) -> list[AudioUploaded]:
        """What the relay would announce."""
        with self.repositories.outbox.turn() as turn:
            assert turn is not None
            return [announcement.event for announcement in turn.waiting("normal", 100, {})]


def memory() -> House:
    submissions = MemorySubmissions()

    def say(job_id: str, run: int, state: str, reason: str | None) -> None:
        at = samples.ACCEPTED_AT + timedelta(hours=len(submissions.outcomes))
        submissions.outcomes[job_id] = Outcome(run=run, state=state, reason=reason, finished_at=at)

    repositories = Repositories(MemoryClients(), submissions, submissions, submissions).with_client()
    return House(MemoryRuns(submissions), repositories, say)


def postgres(database: Database, urls: DatabaseUrls) -> House:
    def say(job_id: str, run: int, state: str, reason: str | None) -> None:
        accepted_at = samples.ACCEPTED_AT
        envelope = {"client_id": "acme", "accepted_at": accepted_at}
        if state == states.QUEUED:
            record(urls.ledger, samples.audio_uploaded(job_id, run, **envelope))
        else:
            record(urls.ledger, samples.job_status(job_id, run, state, reason=reason, **envelope))

    submissions = PostgresSubmissions(database)
    repositories = Repositories(
        PostgresClients(database), submissions, PostgresJobs(database), PostgresOutbox(database)
    ).with_client()
    return House(PostgresRuns(database), repositories, say)


@pytest.fixture(params=DATABASES)
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    if request.param == "memory":
        yield memory()
    else:
        yield postgres(request.getfixturevalue("database"), request.getfixturevalue("migrated"))


def test_a_failed_job_starts_anew_with_a_number_and_an_announcement_of_its_own(house: House) -> None:
    job_id = house.ended("failed", "internal_error")
    before = house.job(job_id)
    (first,) = house.waiting()
    assert house.runs.start(job_id, allowed=FAILED) == Started(job_id, 2)
    (event,) = house.waiting()
    assert event == first.model_copy(update={"run": 2, "event_id": ids.event_id(job_id, 2, AudioUploaded.TOPIC)})
    assert event.accepted_at == before.accepted_at


def test_a_client_sees_the_new_run_until_and_after_it_ends(house: House) -> None:
    job_id = house.ended("failed", "internal_error")
    assert (house.job(job_id).outcome.state, house.job(job_id).outcome.reason) == ("failed", "internal_error")
    house.runs.start(job_id, allowed=FAILED)
    house.runs.start(house.submitted(), allowed=FAILED)
    queued = house.job(job_id).outcome
    if isinstance(house.runs, MemoryRuns):
        return  # the fake's outcomes are as the test says
    assert (queued.run, queued.state, queued.reason) == (2, "queued", None)
    house.say(job_id, 2, "completed", None)
    done = house.job(job_id).outcome
    assert (done.run, done.state) == (2, "completed")
    house.say(job_id, 1, "completed", None)  # a zombie's
    assert house.job(job_id).outcome.run == 2


def test_a_client_starts_no_run_of_anothers_job(house: House) -> None:
    job_id = house.ended("failed", "internal_error")
    assert house.runs.start(job_id, client_id="other", allowed=FAILED) == Refused(job_id, "unknown_job")
    assert house.runs.start(job_id, client_id="acme", allowed=FAILED) == Started(job_id, 2)


@pytest.mark.parametrize("state", ["queued", "transcribing", "completed", "canceled", "erased"])
def test_only_what_failed_starts_anew(house: House, state: str) -> None:
    job_id = house.ended(state)
    assert house.runs.start(job_id, allowed=FAILED) == Refused(job_id, state)
    assert [event.run for event in house.waiting()] == [1]


def test_what_the_ledger_has_not_heard_of_is_queued(house: House) -> None:
    job_id = house.submitted()
    assert house.runs.start(job_id, allowed=FAILED) == Refused(job_id, "queued")
    assert house.runs.start(job_id, allowed=GIVEN_UP, after_run=1) == Started(job_id, 2)


def test_a_completed_job_starts_anew_if_it_is_said(house: House) -> None:
    job_id = house.ended("completed")
    assert house.runs.start(job_id, allowed=REPROCESSED) == Started(job_id, 2)


@pytest.mark.parametrize("state", ["canceled", "erased"])
def test_what_a_person_ended_never_starts_anew(house: House, state: str) -> None:
    job_id = house.ended(state)
    for allowed in (FAILED, REPROCESSED, GIVEN_UP):
        assert house.runs.start(job_id, allowed=allowed) == Refused(job_id, state)


def test_a_stranger_is_no_job(house: House) -> None:
    assert house.runs.start("nobody", allowed=FAILED) == Refused("nobody", "unknown_job")


def test_asking_twice_for_one_reason_starts_one_run(house: House) -> None:
    job_id = house.ended("failed", "internal_error")
    assert house.runs.start(job_id, allowed=GIVEN_UP, after_run=1) == Started(job_id, 2)
    assert house.runs.start(job_id, allowed=GIVEN_UP, after_run=1) == Refused(job_id, "superseded")
    assert house.runs.start(job_id, allowed=FAILED) == Refused(job_id, "queued")


def test_a_run_beyond_all_that_was_heard_of_begins_where_ingest_is_an_older_copy(house: House) -> None:
    job_id = house.submitted()
    house.say(job_id, 3, "failed", "internal_error")
    assert house.runs.start(job_id, allowed=FAILED) == Started(job_id, 4)


def test_a_dry_run_changes_nothing(house: House) -> None:
    job_id = house.ended("failed", "internal_error")
    for _ in range(2):
        assert house.runs.start(job_id, allowed=FAILED, dry_run=True) == Started(job_id, 2)
    assert [event.run for event in house.waiting()] == [1]
    assert house.job(job_id).outcome.run == 1


def test_failed_jobs_are_found_by_reason_and_time(house: House) -> None:
    first, second = house.ended("failed", "internal_error"), house.ended("failed", "dependency_failed")
    house.ended("completed")

    def found(reason: str | None = None, since: datetime | None = None, limit: int = 10) -> list[str]:
        return [job.job_id for job in house.runs.find_failed(reason=reason, since=since, limit=limit)]

    assert found() == [first, second]
    assert found(limit=1) == [first]
    assert found("dependency_failed") == [second]
    assert found("no_audio") == []
    assert found(since=samples.ACCEPTED_AT + timedelta(days=30)) == []
    house.runs.start(second, allowed=FAILED)
    assert found() == [first]


def test_many_jobs_are_requeued_one_after_another(house: House) -> None:
    failed, completed = house.ended("failed", "internal_error"), house.ended("completed")
    asked = [failed, completed, "nobody"]
    assert list(admin.requeue(house.runs, asked, reprocess=False, dry_run=False)) == [
        Started(failed, 2),
        Refused(completed, "completed"),
        Refused("nobody", "unknown_job"),
    ]
    assert list(admin.requeue(house.runs, [completed], reprocess=True, dry_run=True)) == [Started(completed, 2)]
    assert list(admin.requeue(house.runs, [completed], reprocess=True, dry_run=False)) == [Started(completed, 2)]


def test_many_at_once_start_one_run(database: Database, migrated: DatabaseUrls) -> None:
    house = postgres(database, migrated)
    job_id = house.ended("failed", "internal_error")
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda _: house.runs.start(job_id, allowed=GIVEN_UP, after_run=1), range(24)),
        )
    assert answers.count(Started(job_id, 2)) == 1
    assert answers.count(Refused(job_id, "superseded")) == 23


def test_an_operator_starts_runs_by_an_address_alone(migrated: DatabaseUrls, database: Database) -> None:
    job_id = postgres(database, migrated).ended("failed", "internal_error")
    with admin.runs_at(migrated.ingest) as runs:
        assert list(admin.requeue(runs, [job_id], reprocess=False, dry_run=False)) == [Started(job_id, 2)]
