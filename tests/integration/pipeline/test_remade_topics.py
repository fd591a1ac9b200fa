"""A topic that is deleted and made anew is read again, from its start, by members that live on. A real Kafka."""

from __future__ import annotations

import uuid
from collections.abc import MutableMapping, Sequence
from contextlib import closing
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from structlog.testing import capture_logs

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
    """Members of one group, what they have read, and where each stands."""

    def __init__(self, connection: KafkaConnection, name: str, topics: list[str], members: int = 2) -> None:
        self.members: list[KafkaConsumer] = []
        self.seen: set[bytes | None] = set()
        self.revoked: list[TopicPartition] = []
        self._connection, self._name, self._topics = connection, name, topics
        self._places: dict[KafkaConsumer, dict[TopicPartition, int]] = {}
        for _ in range(members):
            self.members.append(self.newcomer())

    def newcomer(self) -> KafkaConsumer:
        """One more, which nobody polls yet."""
        member = KafkaConsumer(self._connection, group=self._name)
        self._places[member] = {}
        member.subscribe(self._topics, lambda _: None, self.revoked.extend)
        return member

    def poll(self) -> None:
        for member in self.members:
            for message in member.poll(0.05, 1):
                self.seen.add(message.value)
                self._places[member][message.topic_partition] = message.offset + 1

    def has_read(self, generation: str) -> bool:
        self.poll()
        return all(f"{generation}{number}".encode() in self.seen for number in range(RECORDS))

    def has_given_up_some(self) -> bool:
        self.poll()
        return bool(self.revoked)

    def has_noticed(self, said: Sequence[MutableMapping[str, Any]]) -> bool:
        self.poll()
        return any(line["event"] == "topics_remade" for line in said)

    def commit(self) -> None:
        for member, places in self._places.items():
            if places:
                member.commit(places)

    def close(self) -> None:
        for member in self.members:
            member.close()


class Topics:
    """Topics of two partitions each; the first can be made anew."""

    def __init__(self, connection: KafkaConnection, *kinds: str) -> None:
        self.group = uuid.uuid4().hex
        self.names = [f"{self.group}.{kind}" for kind in kinds]
        self._admin, self._producer = KafkaAdmin(connection), KafkaProducer(connection)
        self._eraser = AdminClient({"bootstrap.servers": connection.bootstrap_servers})
        for name in self.names:
            self._admin.create(name, TopicState(2, 1))

    def publish(self, generation: str) -> None:
        """Each partition gets as many as before: a place in the old topic is one in the new topic too, at its end."""
        self._producer.publish(
            [Record(self.names[0], b"%d" % number, f"{generation}{number}".encode()) for number in range(RECORDS)]
        )

    def make_anew(self) -> None:
        """Delete the first and make it again."""
        name = self.names[0]
        self._eraser.delete_topics([name])[name].result()
        eventually(lambda: name not in self._eraser.list_topics(timeout=5).topics)
        self._admin.create(name, TopicState(2, 1))

    def close(self) -> None:
        self._producer.close()


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_topic_that_was_made_anew_is_read_from_its_start(kafka_peer: KafkaPeer, protocol: GroupProtocol) -> None:
    connection = KafkaConnection(bootstrap_servers=kafka_peer.bootstrap_servers, group_protocol=protocol)
    with (
        closing(Topics(connection, "calls", "others")) as topics,
        closing(Group(connection, topics.group, topics.names)) as group,
    ):
        topics.publish("old")
        eventually(lambda: group.has_read("old"), deadline_s=60)
        topics.make_anew()
        topics.publish("new")
        group.commit()  # as a worker does that goes on reading at its place in the old one
        eventually(lambda: group.has_read("new"), deadline_s=60)


def test_a_topic_is_read_from_its_start_that_was_made_anew_while_its_group_was_shared_out(
    kafka_peer: KafkaPeer,
) -> None:
    connection = KafkaConnection(bootstrap_servers=kafka_peer.bootstrap_servers)
    with (
        closing(Topics(connection, "calls")) as topics,
        closing(Group(connection, topics.group, topics.names, members=1)) as group,
    ):
        topics.publish("old")
        eventually(lambda: group.has_read("old"), deadline_s=60)
        group.commit()
        newcomer = group.newcomer()  # as nobody polls it, the group cannot be shared out to the end
        eventually(group.has_given_up_some, deadline_s=60)
        topics.make_anew()
        topics.publish("new")
        with capture_logs() as said:
            eventually(lambda: group.has_noticed(said), deadline_s=60)
        group.members.append(newcomer)
        eventually(lambda: group.has_read("new"), deadline_s=60)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_who_comes_after_a_topic_was_made_anew_does_not_go_on_at_a_place_in_the_old_one(
    kafka_peer: KafkaPeer, protocol: GroupProtocol
) -> None:
    connection = KafkaConnection(bootstrap_servers=kafka_peer.bootstrap_servers, group_protocol=protocol)
    with closing(Topics(connection, "calls")) as topics:
        with closing(Group(connection, topics.group, topics.names, members=1)) as group:
            topics.publish("old")
            eventually(lambda: group.has_read("old"), deadline_s=60)
            topics.make_anew()
            topics.publish("new")
            group.commit()  # and ends before it has noticed
        with closing(Group(connection, topics.group, topics.names, members=1)) as group:
            eventually(lambda: group.has_read("new"), deadline_s=60)
