"""Every member has its share of each kind of topic, however they came: over a real Kafka."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence

import pytest

from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import EvenConsumer
from pipeline.stream.ports import TopicPartition
from pipeline.stream.topology import TopicState
from pipeline.testing.waiting import eventually
from razgovor.peers.addresses import KafkaPeer

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(300)]

PARTITIONS = 4


@pytest.fixture
def topics() -> tuple[str, str]:
    name = uuid.uuid4().hex
    return name, f"{name}.rare"


@pytest.fixture(params=["classic", "consumer"])
def connection(request: pytest.FixtureRequest, kafka_peer: KafkaPeer, topics: tuple[str, str]) -> KafkaConnection:
    connection = KafkaConnection(bootstrap_servers=kafka_peer.bootstrap_servers, group_protocol=request.param)
    for topic in topics:
        KafkaAdmin(connection).create(topic, TopicState(PARTITIONS, 1))
    return connection


class Member:
    """One that polls and remembers what it was told is its own."""

    def __init__(self, connection: KafkaConnection, group: str, topics: tuple[str, str]) -> None:
        self.owned: set[TopicPartition] = set()
        self.consumer = EvenConsumer.connected(connection, group=group, rare_group=f"{group}.rare", rare={topics[1]})
        self.consumer.subscribe(topics, self.owned.update, self.owned.difference_update)

    def share(self, topic: str) -> int:
        return Counter(log.topic for log in self.owned)[topic]


def await_even(members: Sequence[Member], topics: tuple[str, str]) -> None:
    def even() -> bool:
        for member in members:
            member.consumer.poll(0.05, 10)
        shares = {topic: sorted(member.share(topic) for member in members) for topic in topics}
        return all(sum(share) == PARTITIONS and share[-1] - share[0] <= 1 for share in shares.values())

    eventually(even, deadline_s=60)


def test_every_member_has_its_share_of_each_topic_however_they_come_and_go(
    connection: KafkaConnection, topics: tuple[str, str]
) -> None:
    members: list[Member] = []
    for _ in range(3):
        members.append(Member(connection, topics[0], topics))
        await_even(members, topics)
    members.pop(0).consumer.close()
    await_even(members, topics)
    members.append(Member(connection, topics[0], topics))
    await_even(members, topics)

    for member in members:
        member.consumer.close()
