"""Producers from before and from after a broker lost its disk, side by side: what it acknowledges lies in its log."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaConsumer, KafkaProducer
from pipeline.stream.ports import Record
from pipeline.stream.topology import TopicState
from pipeline.testing.waiting import eventually
from razgovor.embedded.testing import temporary_folder
from razgovor.peers import KafkaServer

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def kafka() -> Iterator[KafkaServer]:
    with temporary_folder() as folder, KafkaServer(folder) as server:
        yield server


def test_a_broker_that_lost_its_disk_acknowledges_nothing_that_it_does_not_keep(kafka: KafkaServer) -> None:
    connection = KafkaConnection(bootstrap_servers=kafka.bootstrap_servers)
    sent: set[bytes] = set()

    def publish(producer: KafkaProducer, name: str, count: int) -> None:
        for number in range(count):
            value = f"{name}-{number}".encode()
            producer.publish([Record("calls", b"key", value)])
            sent.add(value)

    KafkaAdmin(connection).create("calls", TopicState(1, 1))
    older = KafkaProducer(connection)
    publish(older, "lost", 1)
    kafka.wipe()
    kafka.start()
    KafkaAdmin(connection).create("calls", TopicState(1, 1))
    sent.clear()
    younger = KafkaProducer(connection)
    publish(younger, "younger", 4)
    publish(older, "older", 4)
    publish(younger, "younger-again", 4)

    consumer = KafkaConsumer(connection, group="reader")
    consumer.subscribe(["calls"], lambda _: None, lambda _: None)
    seen: set[bytes | None] = set()

    def all_seen() -> bool:
        seen.update(message.value for message in consumer.poll(0.1, 100))
        return seen == sent

    eventually(all_seen, deadline_s=60)
    for client in (consumer, older, younger):
        client.close()
