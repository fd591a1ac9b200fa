"""The examples of docs/events that publish a call, run as they stand: Python with a registry, Java without.

A real Kafka, a real registry, the audio on a real S3, a real ingest that reads both framings.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pipeline.contracts import codec
from pipeline.contracts.events import AudioUploaded, CallRecorded, JobStatus
from pipeline.stream.connection import RegistryConnection
from pipeline.stream.registry import ConfluentRegistry
from pipeline.stream.schema_registry import subject_of
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.embedded.testing import temporary_folder
from razgovor.peers import KafkaServer
from razgovor.peers.addresses import RegistryPeer, S3Peer
from razgovor.peers.programs import JAVAC, MAVEN, require
from services.ingest.admin import create_key
from services.ingest.clients import Client
from tests.buckets import Bucket, temporary_bucket
from tests.integration.ingest.kafka_world import make_topics
from tests.integration.ingest.process import IngestProcess, running
from tests.unit.ingest.rig import wav

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(400)]
ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs" / "examples"
SCHEMA = ROOT / "schemas" / "call_recorded" / "v1.avsc"
AUDIO = wav()
KEY = "2026/11/23/184.wav"


@pytest.fixture
def kafka() -> Iterator[KafkaServer]:
    with temporary_folder() as folder, KafkaServer(folder / "kafka") as server:
        topics = (CallRecorded.TOPIC, f"{CallRecorded.TOPIC}.dlq", JobStatus.TOPIC, AudioUploaded.TOPIC)
        make_topics(server.bootstrap_servers, *topics, partitions=2)
        yield server


@pytest.fixture
def registry(registry_peer: RegistryPeer) -> Iterator[RegistryPeer]:
    """A registry that has what `razgovor topics apply` registers."""
    registry = ConfluentRegistry(RegistryConnection(url=registry_peer.url))
    for event_class in codec.released().classes:
        registry.register(subject_of(event_class.TOPIC), codec.released().written(event_class).text)
    yield registry_peer
    registry.close()


@pytest.fixture
def bucket(s3_peer: S3Peer) -> Iterator[Bucket]:
    with temporary_bucket(s3_peer) as bucket:
        bucket.store.put(KEY, AUDIO, media_type="audio/wav")
        yield bucket


@pytest.fixture
def key(migrated: DatabaseUrls, bucket: Bucket) -> str:
    source = f"s3://{bucket.address.bucket}/2026/"
    return create_key(migrated.ingest, Client(client_id="acme", name="Acme", sources=(source,)))


@pytest.fixture
def ingest(
    kafka: KafkaServer, registry: RegistryPeer, bucket: Bucket, key: str, migrated: DatabaseUrls, tmp_path: Path
) -> Iterator[IngestProcess]:
    assert key
    assert bucket.options.credentials is not None
    settings = {
        "INGEST_SCHEMA_REGISTRY_URL": registry.url,
        "INGEST_CALL_EVENTS": "true",
        "INGEST_SOURCE_URL": f"s3://?endpoint={bucket.address.endpoint}&region={bucket.address.region}",
        "INGEST_SOURCE_ACCESS_KEY": bucket.options.credentials.access_key,
        "INGEST_SOURCE_SECRET_KEY": bucket.options.credentials.secret_key,
    }
    with running(tmp_path, migrated.ingest, kafka.bootstrap_servers, **settings) as process:
        yield process


def published(*command: str) -> str:
    """Run a publisher; the job that it says it asks for."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def test_python_and_java_publish_calls_that_become_jobs(
    kafka: KafkaServer, registry: RegistryPeer, bucket: Bucket, ingest: IngestProcess, key: str, tmp_path: Path
) -> None:
    event_id, servers = str(uuid.uuid4()), kafka.bootstrap_servers
    place = ("acme", "pbx-184", bucket.address.bucket, KEY, event_id)
    python = (sys.executable, str(EXAMPLES / "publish_call.py"), servers, registry.url, *place)
    jobs = {published(*python), published(*python)}
    assert len(jobs) == 1, "the same event twice is one job"

    jobs.add(published(*java(tmp_path), servers, str(SCHEMA), "acme", "pbx-185", bucket.address.bucket, KEY))
    with httpx.Client(base_url=ingest.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as http:
        eventually(lambda: all(http.get(f"/v1/jobs/{job}").status_code == 200 for job in jobs), deadline_s=60)
        found = [http.get(f"/v1/jobs/{job}").json() for job in jobs]
        assert {job["call_id"] for job in found} == {"pbx-184", "pbx-185"}
        assert all(job["channel_roles"] == ["operator", "customer"] for job in found)
        assert all(http.get(job["links"]["audio"]).content == AUDIO for job in found)
        assert len(http.get("/v1/jobs").json()["jobs"]) == 2


def java(folder: Path) -> tuple[str, ...]:
    """The Java example with what Maven fetches for it."""
    require(JAVAC)
    shutil.copytree(EXAMPLES / "java", folder, dirs_exist_ok=True)
    maven = [str(require(MAVEN)), "--batch-mode", "--quiet", "--file", str(folder / "pom.xml")]
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder / 'lib'}"]
    subprocess.run([*maven, *goal], check=True, timeout=240, capture_output=True)
    return ("java", "-cp", f"{folder / 'lib'}/*", str(folder / "PublishCall.java"))
