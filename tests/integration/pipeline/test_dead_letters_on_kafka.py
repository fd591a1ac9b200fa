"""What a real broker says of records that are too large, and of a DLQ that is not there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from importlib.resources import files

import pytest
import yaml

from pipeline.errors import Fatal, Permanent, Transient
from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.dead_letters import DeadLetters
from pipeline.stream.kafka import KafkaConsumer, KafkaProducer
from pipeline.stream.ports import Message, Record
from pipeline.stream.topology import TopicState
from pipeline.testing import samples
from pipeline.testing.waiting import eventually
from razgovor.peers.addresses import KafkaPeer

pytestmark = pytest.mark.peers

KAFKAS_LARGEST_RECORD_BYTES = 1_048_588
#: A record that just passes: its batch has a head of some 70 bytes.
JUST_SO_BYTES = KAFKAS_LARGEST_RECORD_BYTES - 200


class NoFuse:
    def require_room(self) -> None: ...

    def put_aside(self, reason: str) -> None: ...


def make_topic(peer: KafkaPeer, name: str, config: dict[str, str]) -> None:
    admin = KafkaAdmin(KafkaConnection(bootstrap_servers=peer.bootstrap_servers))
    admin.create(name, TopicState(1, 1, config))


@pytest.fixture
def topic(kafka_peer: KafkaPeer) -> str:
    name = f"test-{uuid.uuid4()}"
    make_topic(kafka_peer, name, {})
    return name


@pytest.fixture
def producer(kafka_peer: KafkaPeer) -> Iterator[KafkaProducer]:
    producer = KafkaProducer(KafkaConnection(bootstrap_servers=kafka_peer.bootstrap_servers))
    yield producer
    producer.close()


def put_aside(producer: KafkaProducer, topic: str, value: bytes) -> None:
    headers = (("razgovor.schema", b"x" * 60),)
    message = Message(topic, 0, 0, b"job-1", value, headers, samples.ACCEPTED_AT)
    DeadLetters(producer, group="exporter", fuse=NoFuse()).put(message, "undecodable", stage="decode")


def read(peer: KafkaPeer, topic: str, count: int) -> list[Message]:
    consumer = KafkaConsumer(KafkaConnection(bootstrap_servers=peer.bootstrap_servers), group=f"g-{uuid.uuid4()}")
    found: list[Message] = []

    def enough() -> bool:
        found.extend(consumer.poll(0.2, 10))
        return len(found) >= count

    consumer.subscribe([topic], lambda _: None, lambda _: None)
    eventually(enough)
    consumer.close()
    return found


def test_a_dlq_as_the_topics_say_takes_the_largest_record_with_its_story(
    kafka_peer: KafkaPeer, producer: KafkaProducer, topic: str
) -> None:
    text = files("schemas").joinpath("topics.yaml").read_text(encoding="utf-8")
    said = yaml.safe_load(text)["job.status.dlq"]["config"]
    make_topic(kafka_peer, f"{topic}.dlq", {"max.message.bytes": said["max.message.bytes"]})
    value = b"\xff" * JUST_SO_BYTES
    producer.publish([Record(topic, b"job-1", value)])
    put_aside(producer, topic, value)
    (aside,) = read(kafka_peer, f"{topic}.dlq", 1)
    assert aside.value == value


def test_a_dlq_with_kafkas_own_limit_takes_the_story_and_the_producer_goes_on(
    kafka_peer: KafkaPeer, producer: KafkaProducer, topic: str
) -> None:
    make_topic(kafka_peer, f"{topic}.dlq", {})
    put_aside(producer, topic, b"\xff" * JUST_SO_BYTES)
    put_aside(producer, topic, b"small")
    story, small = read(kafka_peer, f"{topic}.dlq", 2)
    assert (story.value, story.header("razgovor.payload_omitted_bytes")) == (None, b"%d" % JUST_SO_BYTES)
    assert small.value == b"small"


def test_what_the_broker_never_takes_is_said_to_be_permanent(producer: KafkaProducer, topic: str) -> None:
    for size_bytes in (KAFKAS_LARGEST_RECORD_BYTES + 1, 3_000_000):  # refused by the broker, and by the client itself
        with pytest.raises(Permanent, match="record_too_large"):
            producer.publish([Record(topic, b"k", b"\xff" * size_bytes)])
    assert producer.publish([Record(topic, b"k", b"v")])


@pytest.mark.slow
def test_without_its_dlq_no_record_passes(producer: KafkaProducer, topic: str) -> None:
    with pytest.raises((Transient, Fatal)):
        put_aside(producer, topic, b"junk")
