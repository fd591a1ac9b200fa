"""What strangers read from our topics with their own clients: the examples of docs/examples, run as they stand."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.contracts import codec
from pipeline.contracts.events import TranscriptReady
from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import KafkaConnection, RegistryConnection
from pipeline.stream.kafka import KafkaProducer
from pipeline.stream.registry import ConfluentRegistry
from pipeline.stream.schema_registry import subject_of
from pipeline.stream.topology import TopicState
from pipeline.stream.wire import Wire
from pipeline.testing import samples
from razgovor.peers.addresses import KafkaPeer, RegistryPeer

pytestmark = pytest.mark.peers

EXAMPLES = Path(__file__).parents[4] / "docs" / "examples"
JOB_IDS = [f"0b7e4c9e-6f0f-4f1e-9a55-3d1f6f1f2a{number:02}" for number in range(3)]


@pytest.fixture
def topic(kafka_peer: KafkaPeer, registry_peer: RegistryPeer) -> Iterator[str]:
    """A topic with one event for each job."""
    name = f"strangers-{uuid.uuid4()}"
    connection = KafkaConnection(bootstrap_servers=kafka_peer.bootstrap_servers)
    KafkaAdmin(connection).create(name, TopicState(1, 1))
    registry = ConfluentRegistry(RegistryConnection(url=registry_peer.url))
    registry.register(subject_of(name), codec.released().written(TranscriptReady).text)
    wire, producer = Wire(registry), KafkaProducer(connection)
    producer.publish([wire.encode(samples.transcript_ready(job_id), topic=name) for job_id in JOB_IDS])
    producer.close()
    yield name
    registry.close()


def output(*command: str) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()


def test_kcat_shows_keys_and_headers(kafka_peer: KafkaPeer, topic: str) -> None:
    lines = output("sh", str(EXAMPLES / "read_headers.sh"), kafka_peer.bootstrap_servers, topic)
    assert len(lines) == len(JOB_IDS)
    for job_id, line in zip(JOB_IDS, lines, strict=True):
        assert f"key={job_id} " in line
        assert "razgovor.schema=transcript_ready/1/3b0469c1e129d0f3" in line
        assert f"traceparent=00-{uuid.UUID(job_id).hex}-" in line


def test_the_registrys_own_deserializer_reads_the_values(
    kafka_peer: KafkaPeer, registry_peer: RegistryPeer, topic: str
) -> None:
    script, servers = str(EXAMPLES / "read_events.py"), kafka_peer.bootstrap_servers
    lines = output(sys.executable, script, servers, registry_peer.url, topic, f"strangers-{uuid.uuid4()}")
    events = [json.loads(line) for line in lines]
    assert [event["job_id"] for event in events] == JOB_IDS
    for event in events:
        assert event["transcript"]["key"] == samples.transcript_ready(event["job_id"]).transcript.key
        assert event["accepted_at"] == "2026-11-23 09:30:00.123456+00:00"
