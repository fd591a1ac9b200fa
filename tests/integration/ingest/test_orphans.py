"""The janitor beside ingest, on one real PostgreSQL and a real folder: what it may see, and that it loses no job."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from pipeline.blobs.folder import FolderStore
from pipeline.contracts import layout
from pipeline.errors import Fatal, Transient
from pipeline.telemetry.metrics import Metrics
from pipeline.testing.waiting import eventually
from razgovor.commands import store as store_commands
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.peers.addresses import S3Peer
from services.ingest import handler
from services.ingest.adapters.postgres import (
    Database,
    PostgresClients,
    PostgresJobs,
    PostgresOutbox,
    PostgresSubmissions,
)
from services.ingest.adapters.postgres.connecting import Connection
from services.ingest.adapters.postgres.submissions import _keep
from services.ingest.submissions import Submission
from services.ledger.adapters.postgres import PostgresKnownJobs
from services.ledger.janitor import Janitor, Swept
from tests.buckets import temporary_bucket
from tests.integration.ingest.ledger_events import record
from tests.integration.ingest.repositories import Repositories, idempotency, submission

DAY = timedelta(days=1)


@pytest.fixture
def kept(database: Database) -> Repositories:
    return Repositories(
        PostgresClients(database), PostgresSubmissions(database), PostgresJobs(database), PostgresOutbox(database)
    ).with_client()


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture
def janitor(store: FolderStore, migrated: DatabaseUrls) -> Janitor:
    return Janitor(store, known_jobs(migrated), DAY, Metrics())


def known_jobs(urls: DatabaseUrls) -> PostgresKnownJobs:
    return PostgresKnownJobs(urls.ledger, threading.Event().wait)


def put_old(store: FolderStore, tmp_path: Path, *job_ids: str) -> None:
    """An object of each job, two days old by the file system's clock."""
    for job_id in job_ids:
        store.put(layout.audio_key(job_id), b"x", media_type="audio/wav")
        path = tmp_path / "store" / layout.audio_key(job_id)
        before_s = path.stat().st_mtime - 2 * DAY.total_seconds()
        os.utime(path, (before_s, before_s))


def left(store: FolderStore) -> set[str | None]:
    return {layout.job_of(found.key) for found in store.list(layout.JOBS_PREFIX)}


def test_what_either_side_knows_stays_and_the_rest_goes(
    kept: Repositories, store: FolderStore, janitor: Janitor, migrated: DatabaseUrls, tmp_path: Path
) -> None:
    submitted = kept.submissions.submit(submission(), None)
    in_the_record_only = submission()
    record(migrated.ledger, handler.announcement(in_the_record_only, submitted.accepted_at))
    put_old(store, tmp_path, submitted.job_id, in_the_record_only.job_id, "orphan-1", "orphan-2")
    store.put(layout.audio_key("young"), b"x", media_type="audio/wav")
    assert janitor.sweep(dry_run=True) == Swept(4, ("orphan-1", "orphan-2"))
    assert janitor.sweep() == Swept(4, ("orphan-1", "orphan-2"), 2)
    assert left(store) == {submitted.job_id, in_the_record_only.job_id, "young"}
    assert janitor.sweep() == Swept(2)


def test_remains_of_killed_uploads_go_too(janitor: Janitor, tmp_path: Path) -> None:
    incoming = tmp_path / "store" / ".incoming"
    for name, age_s in (("old", 2 * DAY.total_seconds()), ("young", 0.0)):
        path = incoming / name
        path.write_bytes(b"x")
        os.utime(path, (path.stat().st_mtime - age_s,) * 2)
    assert janitor.sweep() == Swept(uploads=1)
    assert [path.name for path in incoming.iterdir()] == ["young"]


def test_a_swept_job_is_never_accepted_and_leaves_nothing_behind(kept: Repositories, migrated: DatabaseUrls) -> None:
    late = submission()
    with known_jobs(migrated).turn() as turn:
        assert turn is not None
        turn.fence([late.job_id])
        turn.fence([late.job_id])
    with pytest.raises(Transient):
        kept.submissions.submit(late, idempotency())
    again = kept.submissions.submit(submission(), idempotency())
    assert not again.repeated
    assert kept.jobs.fetch("acme", late.job_id) is None


@pytest.fixture
def under_way(migrated: DatabaseUrls, kept: Repositories) -> Iterator[tuple[Submission, Connection]]:
    """An acceptance that has said everything but COMMIT."""
    del kept
    late = submission()
    with ExitStack() as stack:
        connection = stack.enter_context(psycopg.connect(migrated.ingest, row_factory=psycopg.rows.dict_row))
        _keep(connection, late)
        yield late, connection


@pytest.mark.parametrize("ending", ["commit", "rollback"])
def test_an_acceptance_that_had_begun_is_waited_for_and_then_believed(
    under_way: tuple[Submission, Connection], migrated: DatabaseUrls, ending: str
) -> None:
    late, connection = under_way
    looks = threading.Semaphore(0)

    def pause(_seconds: float) -> None:
        looks.release()
        threading.Event().wait(0.01)

    def fence() -> set[str]:
        with PostgresKnownJobs(migrated.ledger, pause).turn() as turn:
            assert turn is not None
            assert turn.known([late.job_id]) == set()
            turn.fence([late.job_id])
            return turn.known([late.job_id])

    with ThreadPoolExecutor(1) as threads:
        fenced = threads.submit(fence)
        assert all(looks.acquire(timeout=10) for _ in range(20))
        assert not fenced.done()
        getattr(connection, ending)()
        assert fenced.result(10) == ({late.job_id} if ending == "commit" else set())


def test_one_sweeps_at_a_time(migrated: DatabaseUrls) -> None:
    with known_jobs(migrated).turn() as first:
        assert first is not None
        with known_jobs(migrated).turn() as second:
            assert second is None
    with known_jobs(migrated).turn() as third:
        assert third is not None


def test_of_ingests_schema_the_janitor_sees_ids_and_no_more(kept: Repositories, migrated: DatabaseUrls) -> None:
    accepted = kept.submissions.submit(submission(), None)
    with psycopg.connect(migrated.ledger, autocommit=True) as connection:
        assert connection.execute("SELECT * FROM ingest.known_jobs_v1").fetchall() == [(accepted.job_id,)]
        for statement in (
            "SELECT 1 FROM ingest.submissions",
            "SELECT 1 FROM ingest.fenced",
            "INSERT INTO ingest.fenced (job_id) VALUES ('x')",
            "DELETE FROM ingest.known_jobs_v1",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
        connection.execute("SELECT ingest.fence_v1(%s)", [[accepted.job_id]])  # an accepted one is not fenced
    with psycopg.connect(migrated.ingest) as connection:
        assert connection.execute("SELECT * FROM ingest.fenced").fetchall() == []


def test_before_ingest_ever_started_the_janitor_waits(database_urls: DatabaseUrls) -> None:
    with known_jobs(database_urls).turn() as turn:
        assert turn is not None
        with pytest.raises(Fatal, match="know jobs"):
            turn.known(["x"])


@pytest.mark.peers
def test_the_command_sweeps_a_bucket(
    kept: Repositories, migrated: DatabaseUrls, s3_peer: S3Peer, tmp_path: Path
) -> None:
    accepted = kept.submissions.submit(submission(), None)
    with temporary_bucket(s3_peer, scratch_dir=tmp_path) as bucket:
        for job_id in (accepted.job_id, "orphan"):
            for key in (layout.audio_key(job_id), layout.call_info_key(job_id)):
                bucket.store.put(key, b"x", media_type="audio/wav")
        environment = {
            "LEDGER_STORE_URL": bucket.url,
            "LEDGER_STORE_ACCESS_KEY": s3_peer.access_key,
            "LEDGER_STORE_SECRET_KEY": s3_peer.secret_key,
            "LEDGER_DATABASE_URL": migrated.ledger,
        }

        def run(*options: str) -> list[str]:
            result = CliRunner().invoke(store_commands.app, ["sweep", *options], env=environment)
            assert result.exit_code == 0, result.stderr
            return result.stdout.split()

        assert run() == []
        # The store tells an age in whole seconds.
        eventually(lambda: run("--dry-run", "--older-than-s", "0") == ["orphan"])
        assert run("--older-than-s", "0") == ["orphan"]
        jobs = {layout.job_of(found.key) for found in bucket.store.list(layout.JOBS_PREFIX)}
    assert jobs == {accepted.job_id}
