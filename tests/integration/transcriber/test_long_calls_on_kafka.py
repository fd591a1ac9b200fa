"""Calls that take longer than many rebalances, on a real Kafka, with both group protocols."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import GroupProtocol, KafkaConnection
from pipeline.stream.kafka import KafkaConsumer
from pipeline.stream.ports import TopicPartition
from pipeline.stream.topology import TopicState
from pipeline.testing.waiting import eventually
from razgovor.chaos.engine_log import engine_calls
from razgovor.embedded.testing import temporary_folder
from razgovor.peers import KafkaOptions, KafkaServer
from tests.integration.pipeline.quick_sessions import QUICK_SESSIONS, SESSION_TIMEOUT_MS
from tests.integration.transcriber.worker import PARTITIONS, TOPICS, World

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(300)]

#: Four sessions, and about ten rebalances.
ENGINE_S = 12.0
CALLS = 2 * PARTITIONS


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with temporary_folder() as folder, KafkaServer(folder, KafkaOptions(properties=QUICK_SESSIONS)) as server:
        admin = KafkaAdmin(KafkaConnection(bootstrap_servers=server.bootstrap_servers))
        for topic in TOPICS:
            admin.create(topic, TopicState(PARTITIONS, 1))
        world = World(tmp_path, server.bootstrap_servers)
        yield world
        world.close()


def passer_by(connection: KafkaConnection) -> int:
    """A member of the transcribers' group that comes, is given partitions, works on nothing and leaves; how many it had."""
    owned: set[TopicPartition] = set()
    consumer = KafkaConsumer(connection, group="transcriber")
    consumer.subscribe(["audio.uploaded"], owned.update, lambda _logs: None)

    def is_given() -> bool:
        consumer.poll(0.1, 10)
        return bool(owned)

    try:
        eventually(is_given, deadline_s=60)
    finally:
        consumer.close()
    return len(owned)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_long_calls_survive_a_rebalance_each_second_and_are_heard_once(world: World, protocol: GroupProtocol) -> None:
    heard = world.folder / "engine.log"
    settings = {
        "RAZGOVOR_ENGINE_LOG": str(heard),
        "TRANSCRIBER_KAFKA_GROUP_PROTOCOL": protocol,
        "TRANSCRIBER_KAFKA_SESSION_TIMEOUT_MS": str(SESSION_TIMEOUT_MS),
    }
    first = world.worker(RAZGOVOR_ENGINE_S=str(ENGINE_S), **settings).await_ready()
    long = {world.upload(f"long-{number}") for number in range(CALLS)}
    eventually(lambda: all(world.markers(job) for job in long), deadline_s=60)
    second = world.worker(**settings).await_ready()  # it is given some of these calls, and finds them another's
    taken: list[int] = []
    while not long <= world.ready():
        taken.append(passer_by(replace(world.connection, group_protocol=protocol)))
    eventually(lambda: world.committed() == world.uploads, deadline_s=90)

    assert not first.has_ended()
    assert not second.has_ended()
    runs = engine_calls(heard)
    assert {job: runs[f"{job}/1"] for job in long} == dict.fromkeys(long, 1)
    assert any("alive" in name for job in long for name in world.markers(job))
    assert len(taken) >= 4
