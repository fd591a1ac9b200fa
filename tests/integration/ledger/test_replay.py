"""All topics read again from the start, three times, by a real group on a real Kafka: the ledger stays byte for byte."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest
from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka import TopicPartition as KafkaTopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from pipeline.contracts.events import Event
from pipeline.errors import Permanent
from pipeline.stream import wire
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaConsumer, KafkaLogReader, KafkaProducer
from pipeline.stream.ports import Message, TopicPartition
from pipeline.stream.runner import Limits, Runner
from pipeline.testing import samples
from pipeline.testing.waiting import eventually
from razgovor.peers.addresses import KafkaPeer
from services.ledger.adapters.postgres import PostgresLedger, checksum
from services.ledger.batch import BatchProcessor

pytestmark = pytest.mark.peers
PARTITIONS = 3
JOBS = 60
TIMES = 3


class NothingAside:
    """Every record can be decoded, so nothing is put aside."""

    def check(self) -> None:
        """The fuse is whole."""

    def passed(self) -> None:
        """A record was taken."""

    def put_aside(self, message: Message, error: Permanent) -> None:
        raise AssertionError(f"{message.offset}: {error.reason}")


@pytest.fixture
def admin(kafka_peer: KafkaPeer) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka_peer.bootstrap_servers})


@pytest.fixture
def topic(admin: AdminClient) -> Iterator[str]:
    name = f"test-{uuid.uuid4()}"
    admin.create_topics([NewTopic(name, PARTITIONS, 1)])[name].result(20)
    yield name
    admin.delete_topics([name])[name].result(20)


def events() -> list[Event]:
    """Completed, failed and twice run jobs; every event three times, in a seeded order."""
    said: list[Event] = []
    for number in range(JOBS):
        job = f"job-{number}"
        end = "failed" if number % 5 == 0 else "completed"
        said += [samples.audio_uploaded(job), samples.job_status(job, state="transcribing")]
        said += [samples.transcript_ready(job)] if end == "completed" else []
        said.append(samples.job_status(job, state=end))
        if number % 10 == 0:
            said += [samples.audio_uploaded(job, 2), samples.transcript_ready(job, 2), samples.job_status(job, 2)]
    thrice = said * TIMES
    random.Random(20261123).shuffle(thrice)  # noqa: S311  an order, and always the same
    return thrice


def test_replaying_everything_three_times_leaves_the_checksum(
    kafka_peer: KafkaPeer, admin: AdminClient, topic: str, ledger: PostgresLedger, owner: psycopg.Connection[Any]
) -> None:
    connection = KafkaConnection(bootstrap_servers=kafka_peer.bootstrap_servers)
    producer = KafkaProducer(connection)
    said = events()
    producer.publish([wire.encode(event, topic) for event in said])
    producer.close()
    group = f"test-{uuid.uuid4()}"
    logs = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    reader = KafkaLogReader(connection)
    batches = BatchProcessor(wire.decode, ledger, NothingAside(), bill_reprocess=True)
    taken = 0

    def process(messages: Sequence[Message]) -> None:
        nonlocal taken
        batches.process(messages)
        taken += len(messages)

    def read_to_the_end() -> None:
        stop = threading.Event()
        runner = Runner(KafkaConsumer(connection, group=group), [topic], process, Limits(batch_max=100), lambda: None)
        thread = threading.Thread(target=runner.run, args=(stop,))
        thread.start()
        try:
            eventually(
                lambda: all(one.committed == one.high for one in reader.bounds(group, logs).values()), deadline_s=90
            )
        finally:
            stop.set()
            thread.join(30)

    read_to_the_end()
    first = checksum(owner)
    (new,) = owner.execute("SELECT count(*) FROM ledger.seen").fetchone() or (0,)
    assert new == len({event.event_id for event in said})
    for time in range(1, TIMES + 1):
        start = [KafkaTopicPartition(topic, number, 0) for number in range(PARTITIONS)]
        reset = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, start)])
        reset[group].result(20)
        read_to_the_end()
        assert taken >= (time + 1) * len(said)
        assert checksum(owner) == first
    reader.close()
