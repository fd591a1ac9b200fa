"""`razgovor dlq` and `razgovor requeue` over PostgreSQL, a broker and a store, as an operator runs them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipeline.blobs.folder import FolderStore
from pipeline.contracts import layout
from pipeline.contracts.events import Event
from pipeline.stream import wire
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.dead_letters import DeadLetters
from pipeline.stream.kafka import KafkaConsumer
from pipeline.stream.kafka_mock import MockCluster
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import Message, Record
from pipeline.testing import samples
from pipeline.testing.waiting import eventually
from razgovor.__main__ import app
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.postgres import Database, PostgresJobs, PostgresSubmissions, migrate
from services.ledger import dead_letters
from services.ledger.adapters.postgres import PostgresLedger
from tests.integration.ingest.ledger_events import record
from tests.integration.ingest.repositories import Repositories, submission


class NoFuse:
    def require_room(self) -> None: ...

    def put_aside(self, reason: str) -> None: ...


def put_aside(message: Message, reason: str, stage: str, group: str) -> Message:
    """The record that a service would have left on the DLQ."""
    broker = MemoryBroker()
    letters = DeadLetters(broker.producer(), group=group, fuse=NoFuse())
    letters.put(message, reason, stage=stage, attempt=3)
    (aside,) = broker.messages(f"{message.topic}.dlq")
    return aside


def as_message(event: Event, value: bytes | None = None) -> Message:
    laid = wire.encode(event)
    bytes_ = laid.value if value is None else value
    return Message(laid.topic, 0, 7, laid.key, bytes_, laid.headers, samples.ACCEPTED_AT)


class Desk:
    """An operator's desk: a ledger with letters, an ingest with jobs, a command line."""

    def __init__(self, urls: DatabaseUrls, database: Database, broker: str, store: Path) -> None:
        self._urls = urls
        self._submissions = PostgresSubmissions(database)
        self.jobs = PostgresJobs(database)
        self.store = FolderStore(store)
        self._environment = {
            "LEDGER_DATABASE_URL": urls.ledger,
            "INGEST_DATABASE_URL": urls.ingest,
            "LEDGER_BOOTSTRAP_SERVERS": broker,
            "LEDGER_STORE_URL": store.as_uri(),
        }
        self._kept = 0

    def failed_job(self, reason: str = "internal_error") -> str:
        given = submission()
        self._submissions.submit(given, None)
        envelope = {"client_id": "acme", "accepted_at": samples.ACCEPTED_AT}
        record(self._urls.ledger, samples.job_status(given.job_id, 1, "failed", reason=reason, **envelope))
        return given.job_id

    def keep(self, event: Event, reason: str = "KeyError", stage: str = "handle", value: bytes | None = None) -> None:
        aside = put_aside(as_message(event, value), reason, stage, "exporter")
        self._kept += 1
        ledger = PostgresLedger(self._urls.ledger)
        distinct = Message(aside.topic, 0, self._kept, aside.key, aside.value, aside.headers, samples.ACCEPTED_AT)
        ledger.apply([dead_letters.keep(distinct)])
        ledger.close()

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, list(words), env=self._environment)

    def says(self, *words: str) -> Any:
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture(scope="module")
def cluster() -> Iterator[MockCluster]:
    with MockCluster() as running:
        for topic in ("job.status", "transcript.ready"):
            running.create_topic(topic)
        yield running


@pytest.fixture
def desk(database_urls: DatabaseUrls, cluster: MockCluster, tmp_path: Path) -> Iterator[Desk]:
    migrate(database_urls.ingest)
    ledger = PostgresLedger(database_urls.ledger)
    ledger.migrate()
    ledger.close()
    database = Database(database_urls.ingest, max_connections=4)
    database.open()
    desk = Desk(database_urls, database, cluster.address, tmp_path / "store")
    from services.ingest.adapters.postgres import PostgresClients, PostgresOutbox  # noqa: PLC0415

    Repositories(PostgresClients(database), desk._submissions, desk.jobs, PostgresOutbox(database)).with_client()
    yield desk
    database.close()


def test_a_job_that_failed_over_a_bug_is_found_looked_at_and_done_again(desk: Desk) -> None:
    job_id = desk.failed_job()
    desk.keep(samples.transcript_ready(job_id))
    (found,) = desk.says("dlq", "list")["letters"]
    assert (found["topic"], found["reason"], found["job_id"], found["stage"]) == (
        "transcript.ready",
        "KeyError",
        job_id,
        "handle",
    )
    shown = desk.says("dlq", "show", str(found["id"]))
    assert (shown["event"]["job_id"], ["razgovor.attempt", "3"] in shown["headers"]) == (job_id, True)
    assert job_id in desk.run("dlq", "show", str(found["id"])).stdout
    would = desk.says("dlq", "replay", "--job", job_id, "--dry-run")
    assert would["letters"] == [{"id": found["id"], "job_id": job_id, "done": True, "outcome": "run 2"}]
    job = desk.jobs.fetch("acme", job_id)
    assert job is not None
    assert (job.outcome.run, job.outcome.state) == (1, "failed")
    assert desk.says("dlq", "replay", str(found["id"]))["letters"] == would["letters"]
    job = desk.jobs.fetch("acme", job_id)
    assert job is not None
    assert (job.outcome.run, job.outcome.state) == (2, "queued")
    assert desk.says("dlq", "list")["letters"] == []
    (done,) = desk.says("dlq", "list", "--done")["letters"]
    assert done["replayed_as"] == "run 2"


def test_a_record_that_nobody_understood_goes_to_its_topic_again(desk: Desk, cluster: MockCluster) -> None:
    event = samples.job_status()
    desk.keep(event, "undecodable", "decode")
    (answer,) = desk.says("dlq", "replay", "--reason", "undecodable")["letters"]
    assert answer["outcome"].startswith("job.status/")
    consumer = KafkaConsumer(KafkaConnection(bootstrap_servers=cluster.address), group="looks")
    consumer.subscribe(["job.status"], lambda _: None, lambda _: None)
    (message,) = eventually(lambda: consumer.poll(0.2, 10))
    consumer.close()
    assert Record(message.topic, message.key, message.value, message.headers) == wire.encode(event)


def test_what_is_still_not_understood_stays_and_can_be_dropped(desk: Desk) -> None:
    desk.keep(samples.job_status(), "undecodable", "decode", value=b"\x00\x1b[31mjunk")
    (answer,) = desk.says("dlq", "replay", "--all")["letters"]
    assert (answer["done"], answer["outcome"]) == (False, "still_undecodable")
    shown = desk.run("dlq", "show", "1").stdout
    assert "00 1b 5b 33 31 6d 6a 75 6e 6b" in shown
    assert "\x1b" not in shown
    assert desk.says("dlq", "drop", "1", "--dry-run") == {"dry_run": True, "dropped": 1, "ids": [1]}
    assert desk.says("dlq", "list")["count"] == 1
    assert desk.says("dlq", "drop", "1")["dropped"] == 1
    assert desk.says("dlq", "list")["count"] == 0
    assert desk.says("dlq", "list", "--done")["letters"][0]["dropped_at"] is not None


def test_filters_and_limits_say_which_and_how_many(desk: Desk) -> None:
    for number in range(5):
        desk.keep(samples.job_status(f"job-{number}"), "undecodable" if number % 2 else "KeyError")
    assert [one["id"] for one in desk.says("dlq", "list", "--reason", "undecodable")["letters"]] == [2, 4]
    assert [one["id"] for one in desk.says("dlq", "list", "--limit", "2")["letters"]] == [1, 2]
    assert desk.says("dlq", "list", "--limit", "2")["count"] == 5
    assert desk.says("dlq", "list", "--since", "2026-11-24")["count"] == 0
    assert desk.says("dlq", "list", "--group", "transcriber")["count"] == 0
    assert desk.says("dlq", "list", "--topic", "job.status.dlq")["count"] == 5
    assert desk.says("dlq", "drop", "--reason", "undecodable", "--limit", "1")["ids"] == [2]


@pytest.mark.parametrize("command", ["replay", "drop"])
def test_nothing_said_means_nothing(desk: Desk, command: str) -> None:
    desk.keep(samples.job_status())
    result = desk.run("dlq", command)
    assert (result.exit_code, "--all" in result.stderr) == (1, True)
    assert desk.says("dlq", "list")["count"] == 1


def test_a_letter_that_is_not_there_is_named(desk: Desk) -> None:
    result = desk.run("dlq", "show", "99")
    assert (result.exit_code, result.stderr) == (1, "there is no letter 99\n")


def test_the_fuse_is_put_back_in(desk: Desk) -> None:
    assert "whole" in desk.run("dlq", "resume", "--group", "exporter").stdout
    marker = {"blown_at": "2026-11-23T09:30:00+00:00", "reasons": {"undecodable": 20}}
    key = layout.fuse_key("exporter")
    desk.store.put(key, json.dumps(marker).encode(), media_type="application/json")
    said = desk.run("dlq", "resume", "--group", "exporter").stdout
    assert "2026-11-23T09:30:00+00:00: undecodable 20" in said
    assert desk.store.stat(key) is None
    assert desk.run("dlq", "resume", "--group", "nobody").exit_code == 1


def test_failed_jobs_are_requeued_by_their_reason(desk: Desk) -> None:
    bug, other = desk.failed_job("internal_error"), desk.failed_job("no_audio")
    would = desk.says("requeue", "--failed-with", "internal_error", "--dry-run")
    assert would == {"dry_run": True, "jobs": [{"job_id": bug, "run": 2, "refused": None}]}
    assert desk.says("requeue", "--failed-with", "internal_error")["jobs"] == would["jobs"]
    assert desk.says("requeue", "--failed-with", "any")["jobs"] == [{"job_id": other, "run": 2, "refused": None}]
    assert desk.says("requeue", "--job", bug)["jobs"] == [{"job_id": bug, "run": None, "refused": "queued"}]
    assert "1 of 2 would be" not in desk.run("requeue", "--job", bug, "--job", "nobody").stdout


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--job", "a", "--failed-with", "no_audio"),
        ("--failed-with", "no_such_reason"),
        ("--failed-with", "no_audio", "--reprocess"),
        ("--failed-with", "no_audio", "--since", "yesterday"),
    ],
)
def test_a_requeue_that_says_too_little_or_too_much_is_refused(desk: Desk, words: tuple[str, ...]) -> None:
    assert desk.run("requeue", *words).exit_code == 2


def test_without_addresses_the_folder_of_a_stack_is_asked(tmp_path: Path) -> None:
    empty = {"LEDGER_DATABASE_URL": "", "LEDGER_BOOTSTRAP_SERVERS": "", "INGEST_DATABASE_URL": ""}
    result = CliRunner().invoke(app, ["dlq", "list", "--data", str(tmp_path)], env=empty)
    assert result.exit_code == 1
    assert "LEDGER_DATABASE_URL" in result.stderr
