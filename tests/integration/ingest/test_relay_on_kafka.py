"""The relay between a real PostgreSQL and a real Kafka of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaConsumer, KafkaLogReader, KafkaProducer
from pipeline.stream.ports import TopicPartition
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.peers import KafkaServer
from services.ingest.adapters.postgres import (
    Database,
    PostgresClients,
    PostgresJobs,
    PostgresOutbox,
    PostgresSubmissions,
)
from services.ingest.announcer import GROUP, Announcer
from services.ingest.clients import Client
from services.ingest.pace import Pace
from tests.integration.ingest.kafka_world import Reader, Worker, delete_records, own_kafka, recreate_topic
from tests.integration.ingest.repositories import Repositories, submission

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(300)]

JOBS = 1_500
BOUND = 200


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaServer]:
    with own_kafka() as server:
        yield server


@pytest.fixture
def topic(kafka: KafkaServer) -> Iterator[str]:
    """The broker's address; its topic is empty."""
    yield kafka.bootstrap_servers
    recreate_topic(kafka.bootstrap_servers)


@pytest.fixture
def kept(database: Database) -> Repositories:
    return Repositories(
        PostgresClients(database), PostgresSubmissions(database), PostgresJobs(database), PostgresOutbox(database)
    ).with_client()


@contextmanager
def relay(database: Database, bootstrap_servers: str, **pace: float) -> Iterator[Announcer]:
    """The relay in its thread."""
    connection = KafkaConnection(bootstrap_servers=bootstrap_servers)
    producer, log_reader = KafkaProducer(connection), KafkaLogReader(connection)
    settings = {"poll_s": 0.05, "close_every_s": 0.1, "review_every_s": 0.5, **pace}
    announcer = Announcer(PostgresOutbox(database), producer, log_reader, Pace(**settings), time.monotonic)  # type: ignore[arg-type]  # numbers of both kinds
    stop = threading.Event()
    thread = threading.Thread(target=announcer.run, args=(stop,), name="relay")
    thread.start()
    try:
        yield announcer
    finally:
        stop.set()
        announcer.wake()
        thread.join()
        producer.close()
        log_reader.close()


def submit(kept: Repositories, count: int, priority: str = "bulk", client_id: str = "acme") -> list[str]:
    return [kept.submissions.submit(submission(client_id, priority=priority), None).job_id for _ in range(count)]


def test_a_weeks_backlog_announces_nothing_twice_and_lets_an_interactive_call_through_at_once(
    kept: Repositories, database: Database, migrated: DatabaseUrls, topic: str
) -> None:
    """Jobs wait in the log for far longer than `reannounce_after_s`, as they do in a week; the bound is always full."""
    kept.with_client(Client(client_id="other", name="Other"))
    jobs = submit(kept, JOBS) + submit(kept, JOBS // 10, client_id="other")
    reader = Reader(topic, "everything")
    with Worker(topic, migrated.ledger, at_most=20) as worker:
        worker.held.set()
        with relay(database, topic, max_announced=BOUND, reannounce_after_s=2.0) as announcer:
            eventually(lambda: reader.read() is not None and len(reader.events) == BOUND * 8 // 10)
            assert reader.read(1.0) == []
            assert 70 <= sum(event.client_id == "other" for event in reader.events) <= 90
            (urgent,) = submit(kept, 1, "interactive")
            announcer.wake()
            eventually(lambda: reader.read(0.05) and reader.events[-1].job_id == urgent, deadline_s=2)
            worker.held.clear()
            eventually(lambda: len(worker.done) == len(jobs) + 1, deadline_s=100)
            eventually(lambda: reader.read(0.05) is not None and len(reader.events) >= len(jobs) + 1, deadline_s=60)
            assert reader.read(3.0) == []
    assert reader.times == dict.fromkeys([*jobs, urgent], 1)
    reader.consumer.close()


def announced(reader: Reader, count: int) -> None:
    """Read until so many announcements were made, and a moment longer: there are no more."""
    eventually(lambda: reader.read(0.05) is not None and len(reader.events) >= count, deadline_s=60)
    reader.read(1.5)  # three reviews
    assert len(reader.events) == count


def test_a_topic_that_was_made_anew_gets_everything_again_once(
    kept: Repositories, database: Database, topic: str
) -> None:
    jobs = submit(kept, 40)
    with relay(database, topic, reannounce_after_s=3600.0):
        before = Reader(topic, "before")
        announced(before, 40)
        before.consumer.close()
        recreate_topic(topic)
        after = Reader(topic, "after")
        announced(after, 40)
        assert after.times == dict.fromkeys(jobs, 1)
        late = submit(kept, 10)
        announced(after, 50)
        assert after.times == dict.fromkeys(jobs + late, 1)
        after.consumer.close()


def test_what_retention_took_unread_is_announced_again(kept: Repositories, database: Database, topic: str) -> None:
    jobs = submit(kept, 30)
    reader = Reader(topic, "everything")
    with relay(database, topic, reannounce_after_s=3600.0):
        announced(reader, 30)
        with PostgresOutbox(database).turn() as turn:
            assert turn is not None
            taken = [row for row in turn.sent() if row.offset == 0]
        delete_records(topic, {row.topic_partition: 1 for row in taken})
        announced(reader, 30 + len(taken))
    assert len(taken) > 1
    assert reader.times == {
        job: 2 if job in {kept_job(database, row.outbox_id) for row in taken} else 1 for job in jobs
    }
    reader.consumer.close()


def kept_job(database: Database, outbox_id: int) -> str:
    with PostgresOutbox(database).turn() as turn:
        assert turn is not None
        return turn.fetch([outbox_id])[0].event.job_id


def commit(bootstrap_servers: str, offsets: dict[TopicPartition, int]) -> None:
    """As an operator does who resets the group while nobody is in it."""
    consumer = KafkaConsumer(KafkaConnection(bootstrap_servers=bootstrap_servers), group=GROUP)
    consumer.commit(offsets)
    consumer.close()


def test_a_group_reset_to_the_start_changes_nothing_and_one_that_skips_is_made_up_for(
    kept: Repositories, database: Database, topic: str
) -> None:
    submit(kept, 20)
    reader = Reader(topic, "everything")
    with relay(database, topic, reannounce_after_s=1.0):
        announced(reader, 20)
        with PostgresOutbox(database).turn() as turn:
            assert turn is not None
            ends = {log.topic_partition: log.last_offset + 1 for log in turn.logs()}
        commit(topic, dict.fromkeys(ends, 0))
        announced(reader, 20)
        commit(topic, ends)
        eventually(lambda: reader.read(0.05) is not None and len(reader.events) == 40, deadline_s=60)
        assert set(reader.times.values()) == {2}
        announced(reader, 40)  # the group has not passed these
    reader.consumer.close()
