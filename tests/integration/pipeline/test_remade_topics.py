"""A topic that is deleted and made anew is read again, from its start, by members that live on. A real Kafka."""

from __future__ import annotations

import uuid
from contextlib import closing

import pytest
from confluent_kafka.admin import AdminClient

from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import GroupProtocol, KafkaConnection
from pipeline.stream.kafka import KafkaConsumer, KafkaProducer
from pipeline.stream.ports import Record, TopicPartition
from pipeline.stream.topology import TopicState
from pipeline.testing.waiting import eventually
from razgovor.peers.addresses import KafkaPeer

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(300)]

RECORDS = 20


class Group:
    """Two members of one group, what they have read, and where each stands."""

    def __init__(self, connection: KafkaConnection, name: str, topics: list[str]) -> None:
        self.members = [KafkaConsumer(connection, group=name) for _ in range(2)]
        self.seen: set[bytes | None] = set()
        self._places: dict[KafkaConsumer, dict[TopicPartition, int]] = {member: {} for member in self.members}
        for member in self.members:
            member.subscribe(topics, lambda _: None, lambda _: None)

    def has_read(self, generation: str) -> bool:
        for member in self.members:
            for message in member.poll(0.05, 1):
                self.seen.add(message.value)
                self._places[member][message.topic_partition] = message.offset + 1
        return all(f"{generation}{number}".encode() in self.seen for number in range(RECORDS))

    def commit(self) -> None:
        for member, places in self._places.items():
            if places:
                member.commit(places)

    def close(self) -> None:
        for member in self.members:
            member.close()


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_topic_that_was_made_anew_is_read_from_its_start(kafka_peer: KafkaPeer, protocol: GroupProtocol) -> None:
    connection = KafkaConnection(bootstrap_servers=kafka_peer.bootstrap_servers, group_protocol=protocol)
    name = uuid.uuid4().hex
    topics = [f"{name}.{kind}" for kind in ("calls", "others")]
    admin, producer = KafkaAdmin(connection), KafkaProducer(connection)
    for topic in topics:
        admin.create(topic, TopicState(2, 1))
    eraser = AdminClient({"bootstrap.servers": kafka_peer.bootstrap_servers})

    def publish(generation: str) -> None:
        # Each partition gets as many as before: a place in the old topic is one in the new topic too, at its end.
        records = [Record(topics[0], b"%d" % number, f"{generation}{number}".encode()) for number in range(RECORDS)]
        producer.publish(records)

    with closing(producer), closing(Group(connection, name, topics)) as group:
        publish("old")
        eventually(lambda: group.has_read("old"), deadline_s=60)
        eraser.delete_topics(topics[:1])[topics[0]].result()
        eventually(lambda: topics[0] not in eraser.list_topics(timeout=5).topics)
        admin.create(topics[0], TopicState(2, 1))
        publish("new")
        group.commit()  # as a worker does that goes on reading at its place in the old one
        eventually(lambda: group.has_read("new"), deadline_s=60)
