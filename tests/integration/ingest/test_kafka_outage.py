"""Kafka dies, comes back, or comes back empty, under uploads: a real broker of the test's own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pipeline.contracts.events import AudioUploaded
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.peers import KafkaServer
from tests.integration.ingest.kafka_world import Reader, make_topics, own_kafka
from tests.integration.ingest.process import IngestProcess, running
from tests.unit.ingest.rig import wav

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(300)]
BACK_S = 30.0


@pytest.fixture
def kafka() -> Iterator[KafkaServer]:
    with own_kafka() as server:
        yield server


@pytest.fixture
def ingest(tmp_path: Path, migrated: DatabaseUrls, kafka: KafkaServer) -> Iterator[IngestProcess]:
    with running(tmp_path, migrated.ingest, kafka.bootstrap_servers, INGEST_RELAY_REVIEW_S="1") as process:
        yield process


def upload(ingest: IngestProcess, key: str, count: int) -> list[str]:
    """Jobs of so many uploads; each is answered with 202."""
    with httpx.Client(base_url=ingest.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as http:
        answers = [http.post("/v1/jobs", content=wav()) for _ in range(count)]
    assert {answer.status_code for answer in answers} == {202}
    return [answer.json()["job_id"] for answer in answers]


def stream_is(ingest: IngestProcess, state: str) -> bool:
    ready = httpx.get(f"{ingest.url}/readyz", timeout=30)
    assert ready.status_code == 200  # uploads do not depend on it
    return bool(ready.json()["peers"]["stream"] == state)


def announced(kafka: KafkaServer, group: str, jobs: list[str]) -> Reader:
    reader = Reader(kafka.bootstrap_servers, group)
    eventually(lambda: reader.read() is not None and set(jobs) <= set(reader.times), deadline_s=BACK_S)
    return reader


def test_uploads_are_taken_while_the_broker_is_dead_and_flow_when_it_is_back(
    kafka: KafkaServer, ingest: IngestProcess, key: str
) -> None:
    before = upload(ingest, key, 5)
    announced(kafka, "before", before).consumer.close()
    kafka.kill()
    during = upload(ingest, key, 20)
    eventually(lambda: stream_is(ingest, "unavailable"), deadline_s=40)
    during += upload(ingest, key, 5)
    kafka.start()
    started_s = time.monotonic()
    reader = announced(kafka, "after", [*before, *during])
    assert time.monotonic() - started_s < BACK_S
    eventually(lambda: stream_is(ingest, "ok"))
    # What the dying broker took without saying so may be there twice; nothing that was marked is.
    assert {reader.times[job] for job in before} == {1}
    reader.consumer.close()


def test_a_broker_that_comes_back_empty_gets_everything_that_is_not_finished(
    kafka: KafkaServer, ingest: IngestProcess, key: str
) -> None:
    before = upload(ingest, key, 5)
    announced(kafka, "before", before).consumer.close()
    kafka.wipe()
    during = upload(ingest, key, 5)
    kafka.start()
    make_topics(kafka.bootstrap_servers, AudioUploaded.TOPIC)
    reader = announced(kafka, "after", [*before, *during])
    later = upload(ingest, key, 5)
    eventually(lambda: reader.read() is not None and set(later) <= set(reader.times), deadline_s=BACK_S)
    assert {reader.times[job] for job in later} == {1}
    reader.consumer.close()
