"""One suite over the fake broker, librdkafka's mock cluster, and a real Kafka with either group protocol."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import GroupProtocol, KafkaConnection
from pipeline.stream.kafka import EvenConsumer, KafkaConsumer, KafkaLogReader, KafkaProducer
from pipeline.stream.kafka_mock import MockCluster
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import Consumer, LogReader, Message, Producer, Record, TopicPartition
from pipeline.stream.runner import Limits, Runner
from pipeline.stream.topology import TopicState
from pipeline.testing.waiting import eventually
from razgovor.peers.addresses import KafkaPeer

PARTITIONS = 4


class Broker(Protocol):
    def producer(self) -> Producer: ...
    def consumer(self, group: str) -> Consumer: ...
    def log_reader(self) -> LogReader: ...


class KafkaBroker:
    def __init__(self, connection: KafkaConnection, *, rare: frozenset[str] | None = None) -> None:
        self._connection = connection
        self._rare = rare

    def producer(self) -> Producer:
        return KafkaProducer(self._connection)

    def consumer(self, group: str) -> Consumer:
        if self._rare is None:
            return KafkaConsumer(self._connection, group=group)
        main, rare = (f"{group}.main", group) if self._rare else (group, f"{group}.rare")
        return EvenConsumer.connected(self._connection, group=main, rare_group=rare, rare=self._rare)

    def log_reader(self) -> LogReader:
        return KafkaLogReader(self._connection)


@pytest.fixture(scope="module")
def cluster() -> Iterator[MockCluster]:
    with MockCluster() as running:
        yield running


@pytest.fixture
def topic() -> str:
    return f"test-{uuid.uuid4()}"


@pytest.fixture
def group() -> str:
    return f"group-{uuid.uuid4()}"


def mock_broker(cluster: MockCluster, topic: str) -> Broker:
    cluster.create_topic(topic)
    return KafkaBroker(KafkaConnection(bootstrap_servers=cluster.address, fetch_wait_ms=20))


def real_broker(
    peer: KafkaPeer, topic: str, group_protocol: GroupProtocol, *, rare: frozenset[str] | None = None
) -> Broker:
    connection = KafkaConnection(bootstrap_servers=peer.bootstrap_servers, group_protocol=group_protocol)
    admin = KafkaAdmin(connection)
    admin.create(topic, TopicState(PARTITIONS, 1))
    return KafkaBroker(connection, rare=rare)


@pytest.fixture(
    params=[
        "memory",
        "librdkafka",
        pytest.param("kafka-classic", marks=pytest.mark.peers),
        pytest.param("kafka-consumer", marks=pytest.mark.peers),
        pytest.param("kafka-even", marks=pytest.mark.peers),
        pytest.param("kafka-rare", marks=pytest.mark.peers),
    ]
)
def broker(request: pytest.FixtureRequest, topic: str) -> Broker:
    match request.param:
        case "memory":
            return MemoryBroker(PARTITIONS)
        case "librdkafka":
            return mock_broker(request.getfixturevalue("cluster"), topic)
        case "kafka-classic":
            return real_broker(request.getfixturevalue("kafka_peer"), topic, "classic")
        case "kafka-even":
            return real_broker(request.getfixturevalue("kafka_peer"), topic, "classic", rare=frozenset())
        case "kafka-rare":
            return real_broker(request.getfixturevalue("kafka_peer"), topic, "classic", rare=frozenset({topic}))
        case _:
            return real_broker(request.getfixturevalue("kafka_peer"), topic, "consumer")


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


def test_what_is_published_is_read_whole_and_in_order_by_key(broker: Broker, topic: str, group: str) -> None:
    producer = broker.producer()
    sent = records(topic, 20)
    delivered = producer.publish(sent)
    producer.publish([Record(topic, b"job-3", b"later")])
    reader = Reader(broker.consumer(group)).subscribe(topic)
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


def test_a_group_goes_on_where_it_committed(broker: Broker, topic: str, group: str) -> None:
    producer = broker.producer()
    producer.publish(records(topic, 12))
    first = Reader(broker.consumer(group)).subscribe(topic)
    seen = first.read(12)
    places: dict[TopicPartition, int] = {}
    for message in seen:
        places[message.topic_partition] = max(places.get(message.topic_partition, 0), message.offset + 1)
    first.consumer.commit(places)
    first.consumer.close()
    producer.publish([Record(topic, b"new", b"new")])
    second = Reader(broker.consumer(group)).subscribe(topic)
    assert [message.value for message in second.read(1)] == [b"new"]
    second.consumer.close()
    producer.close()


def test_a_paused_partition_delivers_nothing_until_resumed(broker: Broker, topic: str, group: str) -> None:
    producer = broker.producer()
    producer.publish(records(topic, 4))
    reader = Reader(broker.consumer(group)).subscribe(topic)
    reader.read(4)
    reader.consumer.pause(reader.assigned)
    producer.publish(records(topic, 4))
    for _ in range(3):
        assert reader.consumer.poll(0.1, 10) == []
    reader.consumer.resume(reader.assigned)
    assert len(reader.read(8)) == 8
    reader.consumer.close()
    producer.close()


def test_what_is_committed_in_passing_is_confirmed(broker: Broker, topic: str, group: str) -> None:
    producer = broker.producer()
    (place,) = producer.publish(records(topic, 1))
    log = TopicPartition(place.topic, place.partition)
    reader = Reader(broker.consumer(group)).subscribe(topic)
    reader.read(1)
    confirmed: dict[TopicPartition, int] = {}

    def is_confirmed() -> bool:
        reader.consumer.commit_soon({log: 1})
        reader.consumer.poll(0.1, 1)
        confirmed.update(reader.consumer.confirmed())
        return bool(confirmed)

    eventually(is_confirmed)
    assert confirmed == {log: 1}
    look = broker.log_reader()
    assert look.bounds(group, [log])[log].committed == 1
    look.close()
    reader.consumer.close()
    producer.close()


def test_members_share_the_logs_and_who_leaves_leaves_his_to_the_other(broker: Broker, topic: str, group: str) -> None:
    one, other = (Reader(broker.consumer(group)).subscribe(topic) for _ in range(2))

    def shared() -> bool:
        for reader in (one, other):
            reader.consumer.poll(0.1, 1)
        return {len(one.assigned), len(other.assigned)} == {PARTITIONS // 2} and not set(one.assigned) & set(
            other.assigned
        )

    eventually(shared)
    one.consumer.close()
    assert one.assigned == []

    def taken_over() -> bool:
        other.consumer.poll(0.1, 1)
        return len(other.assigned) == PARTITIONS

    eventually(taken_over, deadline_s=30)
    other.consumer.close()


def test_a_paused_partition_that_goes_and_comes_back_delivers(broker: Broker, topic: str, group: str) -> None:
    one = Reader(broker.consumer(group)).subscribe(topic)

    def owns(count: int, *readers: Reader) -> bool:
        for reader in readers:
            reader.consumer.poll(0.1, 1)
        return len(one.assigned) == count

    eventually(lambda: owns(PARTITIONS, one), deadline_s=30)
    one.consumer.pause(one.assigned)
    other = Reader(broker.consumer(group)).subscribe(topic)
    eventually(lambda: owns(PARTITIONS // 2, one, other), deadline_s=30)
    kept = set(one.assigned)
    other.consumer.close()
    eventually(lambda: owns(PARTITIONS, one), deadline_s=30)
    producer = broker.producer()
    places = producer.publish(records(topic, 40))
    back = [place for place in places if TopicPartition(place.topic, place.partition) not in kept]
    assert {(message.partition, message.offset) for message in one.read(len(back))} == {
        (place.partition, place.offset) for place in back
    }
    one.consumer.close()
    producer.close()


def test_the_log_reader_sees_bounds_and_commits_without_joining(broker: Broker, topic: str, group: str) -> None:
    producer = broker.producer()
    (place,) = producer.publish(records(topic, 1))
    log = TopicPartition(place.topic, place.partition)
    look = broker.log_reader()
    bounds = look.bounds(group, [log])[log]
    assert (bounds.low, bounds.high, bounds.committed) == (0, 1, None)
    reader = Reader(broker.consumer(group)).subscribe(topic)
    reader.read(1)
    reader.consumer.commit({log: 1})
    assert look.bounds(group, [log])[log].committed == 1
    assert look.cluster_id()
    reader.consumer.close()
    look.close()
    producer.close()


def test_a_runner_takes_everything_once_over_two_members(broker: Broker, topic: str, group: str) -> None:
    producer, count = broker.producer(), 60
    done: list[Message] = []

    def process(messages: Sequence[Message]) -> None:
        done.extend(messages)

    stop = threading.Event()
    runners = [
        Runner(broker.consumer(group), [topic], process, Limits(max_in_flight=3), beat=lambda: None) for _ in range(2)
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
