"""What strangers read from our topics with their own clients: the examples of docs/examples, run as they stand."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.contracts import codec
from pipeline.contracts.events import TranscriptReady
from pipeline.contracts.transcript import sha256_hex
from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import KafkaConnection, RegistryConnection
from pipeline.stream.kafka import KafkaProducer
from pipeline.stream.registry import ConfluentRegistry
from pipeline.stream.schema_registry import subject_of
from pipeline.stream.topology import TopicState
from pipeline.stream.wire import Wire
from pipeline.testing import samples
from razgovor.peers.addresses import KafkaPeer, RegistryPeer, S3Peer
from tests.buckets import temporary_bucket
from tests.unit.pipeline.formats import calls

pytestmark = pytest.mark.peers

EXAMPLES = Path(__file__).parents[4] / "docs" / "examples"
MARK = "transcript_ready/1/3b0469c1e129d0f3"
ACCEPTED_AT_US = 1_795_426_200_123_456
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


def output(*command: str, **environment: str) -> list[str]:
    env = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=env).stdout.splitlines()


def test_kcat_shows_keys_and_headers(kafka_peer: KafkaPeer, topic: str) -> None:
    lines = output("sh", str(EXAMPLES / "read_headers.sh"), kafka_peer.bootstrap_servers, topic)
    assert len(lines) == len(JOB_IDS)
    for job_id, line in zip(JOB_IDS, lines, strict=True):
        assert f"key={job_id} " in line
        assert f"razgovor.schema={MARK}" in line
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


def test_kafkajs_reads_the_same_values(
    kafka_peer: KafkaPeer, registry_peer: RegistryPeer, topic: str, tmp_path: Path
) -> None:
    if (npm := shutil.which("npm")) is None:
        pytest.skip("npm is not here, and `make peers` brings none: it fetches what the JavaScript example needs")
    shutil.copytree(EXAMPLES / "javascript", tmp_path, dirs_exist_ok=True)
    fetching = [npm, "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(fetching, cwd=tmp_path, check=True, timeout=100)
    script, group = str(tmp_path / "read_events.js"), f"strangers-{uuid.uuid4()}"
    lines = output("node", script, kafka_peer.bootstrap_servers, registry_peer.url, topic, group, "2000")
    assert [line.split(" ")[:2] for line in lines] == [[job_id, MARK] for job_id in JOB_IDS]
    for job_id, line in zip(JOB_IDS, lines, strict=True):
        event = json.loads(line.split(" ", 2)[2])
        assert event["transcript"]["key"] == samples.transcript_ready(job_id).transcript.key
        assert event["accepted_at"] == ACCEPTED_AT_US


def test_a_subscriber_keeps_what_was_said_once_and_by_the_highest_run(
    kafka_peer: KafkaPeer, registry_peer: RegistryPeer, s3_peer: S3Peer, tmp_path: Path
) -> None:
    name, database = f"strangers-{uuid.uuid4()}", tmp_path / "analytics.db"
    connection = KafkaConnection(bootstrap_servers=kafka_peer.bootstrap_servers)
    KafkaAdmin(connection).create(name, TopicState(1, 1))
    registry = ConfluentRegistry(RegistryConnection(url=registry_peer.url))
    registry.register(subject_of(name), codec.released().written(TranscriptReady).text)
    wire, producer = Wire(registry), KafkaProducer(connection)
    texts = {1: calls.transcript([calls.turn("сначала")]), 2: calls.transcript([calls.turn("потом")])}

    def announced(job_id: str, run: int) -> TranscriptReady:
        event = samples.transcript_ready(job_id, run)
        data = texts[run].to_bytes()
        kept = event.transcript.model_copy(update={"sha256": sha256_hex(data), "size_bytes": len(data)})
        return event.model_copy(update={"transcript": kept})

    first, second, gone = announced(JOB_IDS[0], 1), announced(JOB_IDS[0], 2), announced(JOB_IDS[1], 1)
    with temporary_bucket(s3_peer, scratch_dir=tmp_path) as bucket:
        for event in (first, second):
            key, run = event.transcript.key, event.run
            bucket.store.put(key, texts[run].to_bytes(), media_type="application/json")
        producer.publish([wire.encode(event, topic=name) for event in (second, first, second, gone)])
        producer.close()
        registry.close()
        credentials = bucket.options.credentials
        assert credentials is not None
        lines = output(
            *(sys.executable, str(EXAMPLES / "subscriber.py"), "--topic", name, "--group", name),
            *("--bootstrap-servers", kafka_peer.bootstrap_servers, "--registry", registry_peer.url),
            *("--store-endpoint", f"{bucket.address.endpoint}", "--bucket", bucket.address.bucket),
            *("--region", bucket.address.region, "--database", str(database), "--until-quiet-s", "5"),
            AWS_ACCESS_KEY_ID=credentials.access_key,
            AWS_SECRET_ACCESS_KEY=credentials.secret_key,
        )
    assert lines == [
        f"{JOB_IDS[0]} 2 kept",
        f"{JOB_IDS[0]} 1 kept",
        f"{JOB_IDS[0]} 2 known",
        f"{JOB_IDS[1]} 1 gone",
    ]
    with sqlite3.connect(database) as kept:
        rows = kept.execute("SELECT job_id, run, said FROM calls").fetchall()
    kept.close()
    assert [(job_id, run) for job_id, run, _ in rows] == [(JOB_IDS[0], 2)]
    assert "потом" in rows[0][2]
