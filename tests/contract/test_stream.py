"""One suite over the fake broker and librdkafka's mock cluster."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from pipeline.stream.kafka import KafkaConsumer, KafkaLogReader, KafkaProducer
from pipeline.stream.kafka_mock import MockCluster
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import Consumer, LogReader, Message, Producer, Record, TopicPartition
from pipeline.stream.runner import Limits, Runner
from pipeline.testing.waiting import eventually

PARTITIONS = 4


class Broker(Protocol):
    def producer(self) -> Producer: ...
    def consumer(self, group: str) -> Consumer: ...
    def log_reader(self) -> LogReader: ...


class MockBroker:
    def __init__(self, cluster: MockCluster, topic: str) -> None:
        cluster.create_topic(topic)
        self._address = cluster.address

    def producer(self) -> Producer:
        return KafkaProducer(self._address)

    def consumer(self, group: str) -> Consumer:
        return KafkaConsumer(self._address, group=group)

    def log_reader(self) -> LogReader:
        return KafkaLogReader(self._address)


@pytest.fixture(scope="module")
def cluster() -> Iterator[MockCluster]:
    with MockCluster() as running:
        yield running


@pytest.fixture
def topic() -> str:
    return f"test-{uuid.uuid4()}"


@pytest.fixture(params=["memory", "librdkafka"])
def broker(request: pytest.FixtureRequest, cluster: MockCluster, topic: str) -> Broker:
    return MemoryBroker(PARTITIONS) if request.param == "memory" else MockBroker(cluster, topic)


@dataclass
class Reader:
    """A subscribed consumer and what it was told."""

    consumer: Consumer
    assigned: list[TopicPartition] = field(default_factory=list)
    seen: list[Message] = field(default_factory=list)

    def subscribe(self, topic: str) -> Reader:
        self.consumer.subscribe([topic], self.assigned.extend, self._forget)
        return self

    def _forget(self, partitions: Sequence[TopicPartition]) -> None:
        self.assigned[:] = [one for one in self.assigned if one not in partitions]

    def read(self, count: int) -> list[Message]:
        def enough() -> bool:
            self.seen.extend(self.consumer.poll(0.1, 100))
            return len(self.seen) >= count

        eventually(enough)
        return self.seen


def records(topic: str, count: int) -> list[Record]:
    return [Record(topic, f"job-{number}".encode(), b"v%d" % number, (("h", b"\x00\xff"),)) for number in range(count)]


def test_what_is_published_is_read_whole_and_in_order_by_key(broker: Broker, topic: str) -> None:
    producer = broker.producer()
    sent = records(topic, 20)
    delivered = producer.publish(sent)
    producer.publish([Record(topic, b"job-3", b"later")])
    reader = Reader(broker.consumer("g")).subscribe(topic)
    seen = reader.read(21)
    by_place = {(one.partition, one.offset): one for one in seen}
    for record, place in zip(sent, delivered, strict=True):
        message = by_place[place.partition, place.offset]
        assert (message.topic, message.key, message.value, message.headers) == (
            topic,
            record.key,
            record.value,
            record.headers,
        )
    assert [one.value for one in seen if one.key == b"job-3"] == [b"v3", b"later"]
    reader.consumer.close()
    producer.close()


def test_a_group_goes_on_where_it_committed(broker: Broker, topic: str) -> None:
    producer = broker.producer()
    producer.publish(records(topic, 12))
    first = Reader(broker.consumer("g")).subscribe(topic)
    seen = first.read(12)
    places: dict[TopicPartition, int] = {}
    for message in seen:
        places[message.topic_partition] = max(places.get(message.topic_partition, 0), message.offset + 1)
    first.consumer.commit(places)
    first.consumer.close()
    producer.publish([Record(topic, b"new", b"new")])
    second = Reader(broker.consumer("g")).subscribe(topic)
    assert [message.value for message in second.read(1)] == [b"new"]
    second.consumer.close()
    producer.close()


def test_a_paused_partition_delivers_nothing_until_resumed(broker: Broker, topic: str) -> None:
    producer = broker.producer()
    producer.publish(records(topic, 4))
    reader = Reader(broker.consumer("g")).subscribe(topic)
    reader.read(4)
    reader.consumer.pause(reader.assigned)
    producer.publish(records(topic, 4))
    for _ in range(3):
        assert reader.consumer.poll(0.1, 10) == []
    reader.consumer.resume(reader.assigned)
    assert len(reader.read(8)) == 8
    reader.consumer.close()
    producer.close()


def test_the_log_reader_sees_bounds_and_commits_without_joining(broker: Broker, topic: str) -> None:
    producer = broker.producer()
    (place,) = producer.publish(records(topic, 1))
    log = TopicPartition(place.topic, place.partition)
    look = broker.log_reader()
    bounds = look.bounds("g", [log])[log]
    assert (bounds.low, bounds.high, bounds.committed) == (0, 1, None)
    reader = Reader(broker.consumer("g")).subscribe(topic)
    reader.read(1)
    reader.consumer.commit({log: 1})
    assert look.bounds("g", [log])[log].committed == 1
    assert look.cluster_id()
    reader.consumer.close()
    look.close()
    producer.close()


def test_a_runner_takes_everything_once_over_two_members(broker: Broker, topic: str) -> None:
    producer, count = broker.producer(), 60
    done: list[Message] = []

    def process(messages: Sequence[Message]) -> None:
        done.extend(messages)

    stop = threading.Event()
    runners = [
        Runner(broker.consumer("g"), [topic], process, Limits(max_in_flight=3), beat=lambda: None) for _ in range(2)
    ]
    threads = [threading.Thread(target=runner.run, args=(stop,)) for runner in runners]
    for thread in threads:
        thread.start()
    producer.publish(records(topic, count))
    eventually(lambda: {(one.partition, one.offset) for one in done} == places(broker, topic, count), deadline_s=40)
    stop.set()
    for thread in threads:
        thread.join(20)
    producer.close()


def places(broker: Broker, topic: str, count: int) -> set[tuple[int, int]]:
    look = broker.log_reader()
    bounds = look.bounds("look", [TopicPartition(topic, number) for number in range(PARTITIONS)])
    look.close()
    found = {(log.partition, offset) for log, one in bounds.items() for offset in range(one.high)}
    assert len(found) == count
    return found
