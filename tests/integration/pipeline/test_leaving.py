"""A member of a group leaves in time, though its brokers are there and say nothing. A real broker of the test's own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaProducer
from pipeline.stream.ports import Record
from pipeline.stream.topology import TopicState
from pipeline.testing.waiting import eventually
from razgovor.embedded.testing import temporary_folder
from razgovor.peers import KafkaServer
from razgovor.peers.kafka_options import KafkaOptions

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(300)]

LEAVES_WITHIN_S = 10.0
MEMBER = "tests.integration.pipeline.rebalancing_member"
ROOT = Path(__file__).parents[3]
#: So that the member's session of 3 s is taken.
SHORT = KafkaOptions(properties={"group.min.session.timeout.ms": "1000"})


@pytest.fixture
def kafka() -> Iterator[KafkaServer]:
    with temporary_folder() as folder, KafkaServer(folder, SHORT) as server:
        yield server


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_member_leaves_in_time_though_its_brokers_do_not_answer(
    kafka: KafkaServer, protocol: str, tmp_path: Path
) -> None:
    name, done = uuid.uuid4().hex, tmp_path / "done"
    connection = KafkaConnection(bootstrap_servers=kafka.bootstrap_servers)
    KafkaAdmin(connection).create(name, TopicState(4, 1))
    producer = KafkaProducer(connection)
    producer.publish([Record(name, b"%d" % number, b"v") for number in range(5_000)])
    producer.close()
    command = [sys.executable, "-m", MEMBER, kafka.bootstrap_servers, name, name, protocol, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT) as member:
        eventually(lambda: done.exists() and done.stat().st_size, deadline_s=60)
        kafka.pause()
        member.send_signal(signal.SIGTERM)
        begun_s = time.monotonic()
        try:
            assert member.wait(60) == 0
        finally:
            member.kill()
        assert time.monotonic() - begun_s < LEAVES_WITHIN_S
