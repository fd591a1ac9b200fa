"""Fault 9 of docs/chaos.md at PostgreSQL and Kafka: their disk is full, then there is room again. Servers of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from pipeline.contracts.events import AudioUploaded
from pipeline.errors import Transient
from pipeline.stream.kafka_mock import MockCluster
from pipeline.testing import samples
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.embedded.testing import temporary_folder
from razgovor.peers import KafkaServer, PostgresServer
from services.ingest.admin import create_key
from services.ingest.clients import Client
from services.ledger.adapters.postgres import PostgresLedger
from tests.integration.disks import SmallDisk, small_disk
from tests.integration.ingest.kafka_world import Reader, make_topics
from tests.integration.ingest.ledger_events import record
from tests.integration.ingest.process import IngestProcess, running
from tests.unit.ingest.rig import wav

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
MIB = 2**20
ACCEPTED, UNAVAILABLE = 202, 503


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    """PostgreSQL's account passes through its folder."""
    with temporary_folder() as folder, small_disk(folder / "disk", size_bytes=192 * MIB) as disk:
        yield disk


class Uploads:
    """Uploads one recording after another, and keeps what was said to each."""

    def __init__(self, ingest: IngestProcess, key: str) -> None:
        self.jobs: list[str] = []
        self.statuses: set[int] = set()
        self._url = f"{ingest.url}/v1/jobs"
        self._headers = {"Authorization": f"Bearer {key}"}

    def status(self) -> int:
        """The answer to one more."""
        answer = httpx.post(self._url, content=wav(), headers=self._headers, timeout=60)
        self.statuses.add(answer.status_code)
        if answer.status_code == ACCEPTED:
            self.jobs.append(answer.json()["job_id"])
        return answer.status_code


def test_while_the_databases_disk_is_full_nothing_is_promised_and_nothing_promised_is_lost(
    disk: SmallDisk, tmp_path: Path
) -> None:
    with (
        PostgresServer(disk.folder / "postgres", fallback_root=disk.folder / "fallback") as server,
        MockCluster() as broker,
    ):
        urls = server.urls()
        ledger = PostgresLedger(urls.ledger)
        ledger.migrate()
        broker.create_topic(AudioUploaded.TOPIC)
        with running(tmp_path, urls.ingest, broker.address) as ingest:
            uploads = Uploads(ingest, create_key(urls.ingest, Client(client_id="acme", name="Acme")))
            assert uploads.status() == ACCEPTED
            disk.fill()
            eventually(lambda: uploads.status() == UNAVAILABLE, deadline_s=120)  # what it has pages for still fits
            eventually(lambda: recorded_until_refused(urls), deadline_s=60)
            disk.free()
            eventually(lambda: uploads.status() == ACCEPTED, deadline_s=60)
            assert uploads.statuses == {ACCEPTED, UNAVAILABLE}
        with psycopg.connect(urls.admin) as admin:
            kept = {job for (job,) in admin.execute("SELECT job_id FROM ingest.submissions")}
            seen = {job for (job,) in admin.execute("SELECT job_id FROM ledger.seen")}
        record(urls.ledger, *(samples.audio_uploaded(f"job-{number}") for number in range(len(seen) + 1)))
        with psycopg.connect(urls.admin) as admin:
            again = [job for (job,) in admin.execute("SELECT job_id FROM ledger.seen")]
        ledger.close()
    assert set(uploads.jobs) <= kept
    # A record that was refused had no effect, and has it once when it comes again.
    assert sorted(again) == sorted({*seen, f"job-{len(seen)}"})


def recorded_until_refused(urls: DatabaseUrls) -> bool:
    """Whether the ledger is told to wait; until then the record grows by an event."""
    with psycopg.connect(urls.admin) as admin:
        (known,) = admin.execute("SELECT count(*) FROM ledger.seen").fetchone() or (0,)
    try:
        record(urls.ledger, *(samples.audio_uploaded(f"job-{number}") for number in range(known + 1)))
    except Transient:
        return True
    return False


@pytest.mark.peers
def test_while_the_brokers_disk_is_full_uploads_are_taken_and_flow_when_it_is_freed(
    disk: SmallDisk, tmp_path: Path, migrated: DatabaseUrls, key: str
) -> None:
    with KafkaServer(disk.folder / "kafka") as kafka:
        make_topics(kafka.bootstrap_servers, AudioUploaded.TOPIC)
        with running(tmp_path, migrated.ingest, kafka.bootstrap_servers, INGEST_RELAY_REVIEW_S="1") as ingest:
            uploads = Uploads(ingest, key)
            disk.fill()

            def has_gone_down() -> bool:
                uploads.status()
                return not kafka.is_running

            eventually(has_gone_down, deadline_s=120, every_s=0.2)
            uploads.status()
            disk.free()
            kafka.start()
            uploads.status()
            reader = Reader(kafka.bootstrap_servers, "after")
            eventually(lambda: reader.read() is not None and set(uploads.jobs) <= set(reader.times), deadline_s=60)
            reader.consumer.close()
    assert uploads.statuses == {ACCEPTED}
