"""What a client of Kafka tries, and how being refused has to look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import pytest

from pipeline.contracts.topics import names
from pipeline.errors import Fatal
from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaConsumer, KafkaLogReader, KafkaProducer
from pipeline.stream.ports import Message, Record, TopicPartition

#: Who is refused is told so within this.
NAMED_WITHIN_S = 10.0
Attempt: TypeAlias = Callable[[KafkaConnection], object]


def publish(connection: KafkaConnection, topic: str = "transcript.ready") -> None:
    producer = KafkaProducer(connection)
    try:
        producer.publish([Record(topic, b"job-1", b"value")])
    finally:
        producer.close()


def verify(connection: KafkaConnection) -> None:
    producer = KafkaProducer(connection)
    try:
        producer.verify()
    finally:
        producer.close()


def consume(connection: KafkaConnection, topic: str = "transcript.ready", group: str = "exporter") -> list[Message]:
    consumer = KafkaConsumer(connection, group=group)
    consumer.subscribe([topic], lambda _: None, lambda _: None)
    give_up_s = time.monotonic() + NAMED_WITHIN_S
    try:
        while time.monotonic() < give_up_s:
            if found := consumer.poll(0.2, 10):
                return found
    finally:
        consumer.close()
    return []


@contextmanager
def log_reader(connection: KafkaConnection) -> Iterator[KafkaLogReader]:
    look = KafkaLogReader(connection)
    try:
        yield look
    finally:
        look.close()


def look_at_cluster(connection: KafkaConnection) -> str:
    with log_reader(connection) as look:
        return look.cluster_id()


def look_at_log(connection: KafkaConnection) -> object:
    with log_reader(connection) as look:
        return look.bounds("transcriber", [TopicPartition("audio.uploaded", 0)])


def administer(connection: KafkaConnection) -> object:
    return KafkaAdmin(connection).topics(names())


ATTEMPTS: dict[str, Attempt] = {
    one.__name__: one for one in (verify, publish, consume, look_at_cluster, look_at_log, administer)
}


@contextmanager
def refused(name: str) -> Iterator[None]:
    started_s = time.monotonic()
    with pytest.raises(Fatal, match=name):
        yield
    assert time.monotonic() - started_s < NAMED_WITHIN_S
