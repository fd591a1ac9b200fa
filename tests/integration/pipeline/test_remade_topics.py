"""A topic that is deleted and made anew is read again, from its start, by members that live on. A real Kafka."""

from __future__ import annotations

import uuid

import pytest
from confluent_kafka.admin import AdminClient

from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import GroupProtocol, KafkaConnection
from pipeline.stream.kafka import KafkaConsumer, KafkaProducer
from pipeline.stream.ports import Record
from pipeline.stream.topology import TopicState
from pipeline.testing.waiting import eventually
from razgovor.peers.addresses import KafkaPeer

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(300)]

RECORDS = 20


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_topic_that_was_made_anew_is_read_from_its_start(kafka_peer: KafkaPeer, protocol: GroupProtocol) -> None:
    connection = KafkaConnection(bootstrap_servers=kafka_peer.bootstrap_servers, group_protocol=protocol)
    name = uuid.uuid4().hex
    topics = [f"{name}.{kind}" for kind in ("calls", "others")]
    admin, producer = KafkaAdmin(connection), KafkaProducer(connection)
    for topic in topics:
        admin.create(topic, TopicState(2, 1))
    members = [KafkaConsumer(connection, group=name) for _ in range(2)]
    for member in members:
        member.subscribe(topics, lambda _: None, lambda _: None)
    seen: set[bytes | None] = set()

    def all_read(generation: str) -> bool:
        for member in members:
            seen.update(message.value for message in member.poll(0.05, 100))
        return all(f"{generation}{number}".encode() in seen for number in range(RECORDS))

    def publish(generation: str) -> None:
        values = [f"{generation}{number}".encode() for number in range(RECORDS)]
        producer.publish([Record(topics[0], value, value) for value in values])

    publish("old")
    eventually(lambda: all_read("old"), deadline_s=60)
    eraser = AdminClient({"bootstrap.servers": kafka_peer.bootstrap_servers})
    eraser.delete_topics(topics[:1])[topics[0]].result()
    eventually(lambda: topics[0] not in eraser.list_topics(timeout=5).topics)
    admin.create(topics[0], TopicState(2, 1))
    publish("new")
    eventually(lambda: all_read("new"), deadline_s=60)

    for member in members:
        member.close()
    producer.close()
