"""A consumer that fetches in gulps, on the mock broker and on a real one: what is little comes too, a moment later."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import partial

import pytest

from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaConsumer, KafkaProducer
from pipeline.stream.kafka_mock import MockCluster
from pipeline.stream.ports import Message, Record
from pipeline.stream.topology import TopicState
from pipeline.testing.waiting import eventually
from razgovor.peers.addresses import KafkaPeer

TOPIC = f"gathering-{uuid.uuid4()}"


@pytest.fixture(params=["mock", pytest.param("real", marks=pytest.mark.peers)])
def connection(request: pytest.FixtureRequest) -> Iterator[KafkaConnection]:
    if request.param == "mock":
        with MockCluster() as cluster:
            cluster.create_topic(TOPIC)
            yield KafkaConnection(bootstrap_servers=cluster.address)
        return
    peer: KafkaPeer = request.getfixturevalue("kafka_peer")
    found = KafkaConnection(bootstrap_servers=peer.bootstrap_servers)
    KafkaAdmin(found).create(TOPIC, TopicState(1, 1))
    yield found


def test_a_record_that_is_less_than_a_gulp_comes_all_the_same(connection: KafkaConnection) -> None:
    consumer = KafkaConsumer(connection, group=str(uuid.uuid4()), gather_bytes=1_000_000)
    producer = KafkaProducer(connection)
    found: list[Message] = []

    def came(count: int) -> bool:
        found.extend(consumer.poll(0.1, 10))
        return len(found) == count

    consumer.subscribe([TOPIC], lambda _logs: None, lambda _logs: None)
    for number in (1, 2):
        producer.publish([Record(TOPIC, b"k", str(number).encode())])
        eventually(partial(came, number))
    assert [message.value for message in found] == [b"1", b"2"]
    producer.close()
    consumer.close()
