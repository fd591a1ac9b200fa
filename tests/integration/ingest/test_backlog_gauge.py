"""The backlog is what PostgreSQL says: by priority, waiting or announced, until it is closed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg

from pipeline.stream.kafka_mock import MockCluster
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.postgres import Database, PostgresBacklog, PostgresClients, PostgresSubmissions
from services.ingest.submissions import Submission
from tests.integration.ingest.process import running
from tests.integration.ingest.repositories import ACME, submission


def of_duration(priority: str, duration_ms: int | None) -> Submission:
    made = submission(priority=priority)
    return replace(made, audio=replace(made.audio, declared_duration_ms=duration_ms))


def keep(database: Database, *wanted: Submission) -> None:
    PostgresClients(database).add_key(ACME, "0123456789ab", bytes(32), ())
    for one in wanted:
        PostgresSubmissions(database).submit(one, None)


def test_it_is_measured_by_priority_and_state(database: Database, migrated: DatabaseUrls) -> None:
    keep(
        database,
        *(of_duration("bulk", 60_000) for _ in range(3)),
        of_duration("normal", 1_500),
        of_duration("normal", None),
    )
    with psycopg.connect(migrated.ingest, autocommit=True) as owner:
        owner.execute("UPDATE ingest.outbox SET created_at = now() - interval '1 hour' WHERE priority = 'bulk'")
        owner.execute(
            """UPDATE ingest.outbox SET sent_at = now(), cluster_id = 'c', "partition" = 0, "offset" = 0
            WHERE outbox_id = (SELECT min(outbox_id) FROM ingest.outbox WHERE priority = 'bulk')"""
        )
        owner.execute(
            """UPDATE ingest.outbox SET closed_at = now()
            WHERE outbox_id = (SELECT max(outbox_id) FROM ingest.outbox WHERE priority = 'bulk')"""
        )
    found = {(one.priority, one.state): one for one in PostgresBacklog(database).measure()}
    assert {labels: (one.jobs, one.audio_s) for labels, one in found.items()} == {
        ("bulk", "waiting"): (1, 60.0),
        ("bulk", "announced"): (1, 60.0),
        ("normal", "waiting"): (2, 1.5),
    }
    assert 3600 <= found["bulk", "waiting"].oldest_s < 3700
    assert 0 <= found["normal", "waiting"].oldest_s < 100


def test_ingest_shows_it_where_its_status_file_says(tmp_path: Path, migrated: DatabaseUrls) -> None:
    with MockCluster() as broker, running(tmp_path, migrated.ingest, broker.address, INGEST_METRICS_PORT="0") as ingest:
        where = str(ingest.status()["metrics"])
        assert where.startswith("http://127.0.0.1:")
        database = Database(migrated.ingest)
        database.open()
        keep(database, of_duration("bulk", 60_000))
        database.close()
        wanted = 'razgovor_backlog_audio_seconds{priority="bulk",state="waiting"} 60.0'
        eventually(lambda: wanted in httpx.get(where).text, deadline_s=30)
        shown = httpx.get(where).text
        assert "razgovor_ready 1.0" in shown
        assert 'razgovor_build_info{python="' in shown
        assert json.loads((tmp_path / "ingest.json").read_text())["state"] == "ready"
