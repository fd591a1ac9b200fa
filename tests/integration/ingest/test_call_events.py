"""Calls of upstream systems through a real ingest process: a broker, PostgreSQL, a folder of sources."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from pipeline.contracts.events import CallRecorded, JobStatus, SourceObject
from pipeline.stream import wire
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaConsumer, KafkaProducer
from pipeline.stream.kafka_mock import MockCluster
from pipeline.stream.ports import Record
from pipeline.testing import samples
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.admin import create_key
from services.ingest.clients import Client
from tests.integration.ingest.process import IngestProcess, running
from tests.unit.ingest.rig import wav

AUDIO = wav()
SOURCE = SourceObject(bucket="acme-calls", key="2026/a.wav", sha256=hashlib.sha256(AUDIO).hexdigest())


class Upstream:
    """An upstream system: publishes, and reads what it is told."""

    def __init__(self, broker: MockCluster) -> None:
        connection = KafkaConnection(bootstrap_servers=broker.address)
        self._producer = KafkaProducer(connection)
        self._consumer = KafkaConsumer(connection, group="upstream")
        self._consumer.subscribe([JobStatus.TOPIC], lambda _logs: None, lambda _logs: None)
        self._told: list[JobStatus] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._producer.close()
        self._consumer.close()

    def publish(self, *events: CallRecorded) -> None:
        self._producer.publish([wire.encode(event) for event in events])

    def publish_bytes(self, value: bytes) -> None:
        self._producer.publish([Record(CallRecorded.TOPIC, b"call", value)])

    def told(self, event: CallRecorded) -> list[JobStatus]:
        """What was said of an event's job so far."""
        for message in self._consumer.poll(0.2, 100):
            found = wire.decode(message)
            if isinstance(found, JobStatus):
                self._told.append(found)
        return [status for status in self._told if status.job_id == event.job_id]


@pytest.fixture
def broker() -> Iterator[MockCluster]:
    with MockCluster() as cluster:
        for topic in ("audio.uploaded", CallRecorded.TOPIC, f"{CallRecorded.TOPIC}.dlq", JobStatus.TOPIC):
            cluster.create_topic(topic)
        yield cluster


@pytest.fixture
def upstream(broker: MockCluster) -> Iterator[Upstream]:
    with Upstream(broker) as upstream:
        yield upstream


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    (folder / "acme-calls" / "2026").mkdir(parents=True)
    (folder / "acme-calls" / "2026" / "a.wav").write_bytes(AUDIO)
    return folder


@pytest.fixture
def settings(sources: Path) -> dict[str, str]:
    return {"INGEST_CALL_EVENTS": "true", "INGEST_SOURCE_URL": sources.as_uri()}


@pytest.fixture
def api(migrated: DatabaseUrls) -> str:
    return create_key(migrated.ingest, Client(client_id="acme", name="Acme", sources=("s3://acme-calls/2026/",)))


def job(ingest: IngestProcess, key: str, event: CallRecorded) -> dict[str, Any]:
    answer = httpx.get(f"{ingest.url}/v1/jobs/{event.job_id}", headers={"Authorization": f"Bearer {key}"}, timeout=30)
    found: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
    return found


def test_a_call_becomes_a_job_once_and_a_refusal_is_answered(
    tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, upstream: Upstream, settings: dict[str, str], api: str
) -> None:
    good, bad = samples.call_recorded("1", audio=SOURCE), samples.call_recorded("2")
    with running(tmp_path, migrated.ingest, broker.address, **settings) as ingest:
        upstream.publish(good, bad, good)
        found = eventually(lambda: job(ingest, api, good))
        assert (found["call_id"], found["state"], found["audio"]["sha256"]) == ("call-1", "queued", SOURCE.sha256)
        (refused,) = eventually(lambda: upstream.told(bad))
        assert (refused.state, refused.reason) == ("failed", "source_missing")
        assert refused.details["call_recorded_event_id"] == "2"
        upstream.publish(good)
        last = samples.call_recorded("3", client_id="nobody")
        upstream.publish(last)
        assert eventually(lambda: upstream.told(last))[0].reason == "no_such_client"
        assert upstream.told(good) == []
        everything = httpx.get(f"{ingest.url}/v1/jobs", headers={"Authorization": f"Bearer {api}"}, timeout=30)
        assert [one["job_id"] for one in everything.json()["jobs"]] == [good.job_id]
        assert ingest.terminate() == 0


def test_poison_is_put_aside_and_the_next_call_is_taken(
    tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, upstream: Upstream, settings: dict[str, str], api: str
) -> None:
    event = samples.call_recorded("1", audio=SOURCE)
    with running(tmp_path, migrated.ingest, broker.address, **settings) as ingest:
        for value in (b"", b"{}", b"\xc3\x01 and so on"):
            upstream.publish_bytes(value)
        upstream.publish(event)
        assert eventually(lambda: job(ingest, api, event))
        letters = KafkaConsumer(KafkaConnection(bootstrap_servers=broker.address), group="letters")
        letters.subscribe([f"{CallRecorded.TOPIC}.dlq"], lambda _logs: None, lambda _logs: None)
        found: list[bytes | None] = []

        def all_three() -> bool:
            found.extend(letter.value for letter in letters.poll(0.2, 10))
            return len(found) == 3

        eventually(all_three)
        letters.close()


@pytest.mark.parametrize("step", ["ingest.audio_put", "ingest.committed", "stream.effect_put"])
def test_calls_of_an_ingest_that_was_killed_are_jobs_once_and_whole(
    tmp_path: Path,
    migrated: DatabaseUrls,
    broker: MockCluster,
    upstream: Upstream,
    settings: dict[str, str],
    api: str,
    step: str,
) -> None:
    events = [samples.call_recorded(str(number), audio=SOURCE) for number in range(6)]
    doom = {"RAZGOVOR_CRASH_AT": f"{step}:2"}
    with running(tmp_path, migrated.ingest, broker.address, name="doomed", **settings, **doom) as doomed:
        upstream.publish(*events)
        doomed.process.wait(40)
    with running(tmp_path, migrated.ingest, broker.address, **settings) as ingest:
        eventually(lambda: all(job(ingest, api, event) for event in events), deadline_s=40)
        headers = {"Authorization": f"Bearer {api}"}
        listed = httpx.get(f"{ingest.url}/v1/jobs?limit=100", headers=headers, timeout=30).json()["jobs"]
        assert len(listed) == len(events)
        for event in events:
            audio = httpx.get(f"{ingest.url}/v1/jobs/{event.job_id}/audio", headers=headers, timeout=30)
            assert audio.content == AUDIO
    assert not any(upstream.told(event) for event in events)


def test_uploads_are_taken_while_the_broker_is_away_though_calls_wait_for_it(
    tmp_path: Path, migrated: DatabaseUrls, settings: dict[str, str], api: str
) -> None:
    with running(tmp_path, migrated.ingest, "127.0.0.1:1", **settings) as ingest:
        answer = httpx.post(
            f"{ingest.url}/v1/jobs", content=AUDIO, headers={"Authorization": f"Bearer {api}"}, timeout=30
        )
        assert answer.status_code == 202
