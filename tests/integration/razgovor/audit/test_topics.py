"""Topics read live from a real Kafka, as no member of any group: what lies there, and how far the groups have come."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from pipeline.errors import Transient
from pipeline.stream import wire
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaConsumer, KafkaProducer, KafkaScanner
from pipeline.stream.ports import Record, TopicPartition
from pipeline.testing import samples
from pipeline.testing.waiting import eventually
from razgovor.peers.addresses import KafkaPeer

pytestmark = pytest.mark.peers
PARTITIONS = 3


@pytest.fixture
def connection(kafka_peer: KafkaPeer) -> KafkaConnection:
    return KafkaConnection(bootstrap_servers=kafka_peer.bootstrap_servers)


@pytest.fixture
def topic(kafka_peer: KafkaPeer) -> Iterator[str]:
    admin = AdminClient({"bootstrap.servers": kafka_peer.bootstrap_servers})
    name = f"test-{uuid.uuid4()}"
    admin.create_topics([NewTopic(name, PARTITIONS, 1)])[name].result(20)
    yield name
    admin.delete_topics([name])[name].result(20)


def logs_of(scanner: KafkaScanner, topic: str) -> list[TopicPartition]:
    """Its logs, once the brokers tell of all of them."""
    eventually(lambda: len(scanner.logs([topic])) == PARTITIONS)
    return scanner.logs([topic])


def test_a_scan_reads_everything_once_and_ends(connection: KafkaConnection, topic: str) -> None:
    producer = KafkaProducer(connection)
    events = [samples.job_status(f"job-{number}") for number in range(50)]
    producer.publish([wire.encode(event, topic) for event in events])
    producer.publish([Record(topic, b"k", b"broken")])
    producer.close()
    scanner = KafkaScanner(connection)
    logs = logs_of(scanner, topic)
    for _ in range(2):  # nothing was committed, so a second time finds the same
        found = list(scanner.scan(logs))
        assert len(found) == len({(one.partition, one.offset) for one in found}) == 51
        keys = sorted(str(one.key) for one in found)
        assert keys == sorted([str(event.job_id.encode()) for event in events] + ["b'k'"])
    assert sum(high - low for low, high in scanner.ends(logs).values()) == 51
    scanner.close()


def test_an_empty_log_ends_at_once_and_no_topic_has_no_logs(connection: KafkaConnection, topic: str) -> None:
    scanner = KafkaScanner(connection)
    logs = logs_of(scanner, topic)
    assert list(scanner.scan(logs)) == []
    assert scanner.logs([f"{topic}-that-is-not-there"]) == []
    assert list(scanner.scan([])) == []
    scanner.close()


def test_a_scan_disturbs_no_group(connection: KafkaConnection, topic: str) -> None:
    producer = KafkaProducer(connection)
    producer.publish([Record(topic, b"%d" % number, b"v") for number in range(20)])
    group = f"test-{uuid.uuid4()}"
    moved: list[TopicPartition] = []
    consumer = KafkaConsumer(connection, group=group)
    assigned: list[TopicPartition] = []
    consumer.subscribe([topic], assigned.extend, moved.extend)
    taken: list[object] = []

    def read() -> bool:
        taken.extend(consumer.poll(0.1, 100))
        return len(taken) == 20

    eventually(read, deadline_s=60)
    scanner = KafkaScanner(connection)
    assert len(list(scanner.scan(assigned))) == 20
    consumer.poll(0.1, 1)
    assert moved == []
    scanner.close()
    consumer.close()
    producer.close()


def test_an_event_of_a_real_log_keeps_its_ids(connection: KafkaConnection, topic: str) -> None:
    event = samples.job_status()
    producer = KafkaProducer(connection)
    (place,) = producer.publish([wire.encode(event, topic)])
    producer.close()
    scanner = KafkaScanner(connection)
    (message,) = scanner.scan([TopicPartition(topic, place.partition)])
    scanner.close()
    assert wire.decode(message).event_id == event.event_id
    assert (message.partition, message.offset) == (place.partition, place.offset)


def test_brokers_that_are_away_are_said_to_be() -> None:
    scanner = KafkaScanner(KafkaConnection(bootstrap_servers="127.0.0.1:1"))
    with pytest.raises(Transient):
        scanner.logs(["job.status"])
    scanner.close()
