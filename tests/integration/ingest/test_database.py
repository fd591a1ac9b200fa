"""What only PostgreSQL can show: migrations, rights, the ledger's views, outages, turns that roll back."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from datetime import datetime, timedelta

import psycopg
import pytest

from pipeline.contracts.events import Artefact, Completion, Event, JobStatus, ObjectRef, Timings, failure, status
from pipeline.errors import Fatal, Permanent, Transient
from pipeline.stream.ports import Delivered
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest import handler, keys
from services.ingest.adapters.postgres import (
    Database,
    PostgresClients,
    PostgresJobs,
    PostgresOutbox,
    PostgresSubmissions,
    migrate,
)
from services.ingest.adapters.postgres.errors import translated
from services.ingest.adapters.postgres.migrator import STEPS
from services.ingest.admin import create_key
from services.ingest.clients import Client
from services.ingest.listing import Wanted
from services.ingest.submissions import Submission
from tests.integration.ingest.ledger_events import record
from tests.integration.ingest.repositories import Repositories, submission


@pytest.fixture
def kept(database: Database) -> Repositories:
    return Repositories(
        PostgresClients(database), PostgresSubmissions(database), PostgresJobs(database), PostgresOutbox(database)
    ).with_client()


def test_migrating_again_changes_nothing(database_urls: DatabaseUrls) -> None:
    assert migrate(database_urls.ingest) == len(STEPS)
    assert migrate(database_urls.ingest) == 0


def test_a_step_that_changed_after_it_was_applied_is_fatal(database_urls: DatabaseUrls) -> None:
    migrate(database_urls.ingest)
    changed = (replace(STEPS[0], sql=STEPS[0].sql + "-- changed"), *STEPS[1:])
    with pytest.raises(Fatal, match="0001_ingest"):
        migrate(database_urls.ingest, changed)


def test_a_step_that_fails_leaves_nothing_behind(database_urls: DatabaseUrls) -> None:
    broken = (replace(STEPS[0], sql="CREATE TABLE ingest.half (a int); SELECT nonsense"),)
    with pytest.raises(Permanent):
        migrate(database_urls.ingest, broken)
    assert migrate(database_urls.ingest) == len(STEPS)


def test_accepted_at_is_the_databases_clock_and_stands_in_the_event(kept: Repositories, migrated: DatabaseUrls) -> None:
    accepted = kept.submissions.submit(submission(), None)
    with psycopg.connect(migrated.ingest) as connection:
        row = connection.execute(
            "SELECT now() - s.accepted_at, o.event->>'accepted_at' FROM ingest.submissions s JOIN ingest.outbox o USING (job_id)"
        ).fetchone()
    assert row is not None
    assert timedelta(0) <= row[0] < timedelta(minutes=1)
    assert datetime.fromisoformat(row[1]) == accepted.accepted_at


def test_no_name_or_number_is_in_the_outbox(kept: Repositories, migrated: DatabaseUrls) -> None:
    kept.submissions.submit(submission(), None)
    with psycopg.connect(migrated.ingest) as connection:
        (text,) = connection.execute("SELECT event::text FROM ingest.outbox").fetchone() or ("",)
    assert not any(word in text for word in ("Анна", "+7 900", "etc/x", "ключ"))


def test_the_roles_touch_only_their_own_schema(migrated: DatabaseUrls) -> None:
    for url, table in ((migrated.ingest, "ledger.jobs"), (migrated.ledger, "ingest.submissions")):
        with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"SELECT * FROM {table}")  # noqa: S608  names of this test


def completed(given: Submission, accepted_at: datetime) -> tuple[Event, ...]:
    uploaded = handler.announcement(given, accepted_at)
    completion = Completion(
        language="ru",
        channel_mode="stereo",
        channels=2,
        duration_ms=60_000,
        speech_ms=40_000,
        words=100,
        confidence=0.5,
        partial=True,
        warnings=("truncated_audio",),
        engine="faster-whisper",
        model="base",
        model_sha256="cd" * 32,
        transcript=ObjectRef(key=f"jobs/{given.job_id}/1/ab/transcript.json", sha256="ab" * 32, size_bytes=5),
        artefacts=(Artefact(key=f"jobs/{given.job_id}/1/ab/call.vtt", sha256="ef" * 32, size_bytes=7, format="vtt"),),
        timings=Timings(queue_wait_ms=1, decode_ms=2, vad_ms=3, engine_ms=4),
    )
    return uploaded, status(uploaded, "completed", "exporter", completion=completion)


def test_what_the_ledger_recorded_is_shown_and_closes_the_outbox(kept: Repositories, migrated: DatabaseUrls) -> None:
    given = submission()
    accepted = kept.submissions.submit(given, None)
    with kept.outbox.turn() as turn:
        assert turn is not None
        turn.mark_sent(
            [row.outbox_id for row in turn.waiting("normal", 9, {})], "here", [Delivered("audio.uploaded", 0, 0)]
        )
    record(migrated.ledger, *completed(given, accepted.accepted_at))
    job = kept.jobs.fetch("acme", given.job_id)
    assert job is not None
    outcome = job.outcome
    assert (outcome.state, outcome.run, outcome.words, outcome.partial) == ("completed", 1, 100, True)
    assert (outcome.warnings, outcome.engine_ms, outcome.confidence) == (("truncated_audio",), 4, 0.5)
    assert outcome.transcript is not None
    assert outcome.transcript.key.endswith("transcript.json")
    assert outcome.artefacts["vtt"].size_bytes == 7
    assert [found.job_id for found in kept.jobs.page("acme", Wanted(state="completed"), after=None, limit=9)] == [
        given.job_id
    ]
    assert kept.jobs.page("acme", Wanted(state="queued"), after=None, limit=9) == []
    with kept.outbox.turn() as turn:
        assert turn is not None
        turn.close_finished()
        assert (turn.logs(), turn.sent(), turn.waiting("normal", 9, {})) == ([], [], [])


def test_a_failed_job_shows_reason_and_details(kept: Repositories, migrated: DatabaseUrls) -> None:
    given = submission()
    accepted = kept.submissions.submit(given, None)
    uploaded = handler.announcement(given, accepted.accepted_at)
    failed: JobStatus = failure(uploaded, "transcriber", "too_long", {"limit_s": "60"})
    record(migrated.ledger, uploaded, failed)
    job = kept.jobs.fetch("acme", given.job_id)
    assert job is not None
    assert (job.outcome.state, job.outcome.reason, job.outcome.details) == ("failed", "too_long", {"limit_s": "60"})


def test_a_turn_that_fails_marks_nothing(kept: Repositories) -> None:
    kept.submissions.submit(submission(), None)
    with contextlib.suppress(Transient), kept.outbox.turn() as turn:
        assert turn is not None
        turn.mark_sent(
            [row.outbox_id for row in turn.waiting("normal", 9, {})], "here", [Delivered("audio.uploaded", 0, 0)]
        )
        raise Transient("the process dies here")
    with kept.outbox.turn() as turn:
        assert turn is not None
        assert (len(turn.waiting("normal", 9, {})), turn.sent()) == (1, [])


def test_before_the_ledger_ever_started_submitting_works_and_reading_waits(database_urls: DatabaseUrls) -> None:
    migrate(database_urls.ingest)
    database = Database(database_urls.ingest)
    database.open()
    repositories = Repositories(
        PostgresClients(database), PostgresSubmissions(database), PostgresJobs(database), PostgresOutbox(database)
    ).with_client()
    given = submission()
    repositories.submissions.submit(given, None)
    with pytest.raises(Transient):
        repositories.jobs.fetch("acme", given.job_id)
    database.close()


def test_connections_that_the_server_cut_are_replaced(kept: Repositories, migrated: DatabaseUrls) -> None:
    kept.submissions.verify()
    with psycopg.connect(migrated.admin, autocommit=True) as admin:
        ours = "FROM pg_stat_activity WHERE usename = 'razgovor_ingest' AND datname = current_database()"
        admin.execute(f"SELECT pg_terminate_backend(pid) {ours}")
        # It returns when the signal is sent; the backend goes a moment later.
        eventually(lambda: admin.execute(f"SELECT NOT EXISTS (SELECT {ours})").fetchone() == (True,))
    given = submission()
    assert kept.submissions.submit(given, None).job_id == given.job_id


def test_a_server_that_is_not_there_is_transient(tmp_path: object) -> None:
    url = f"postgresql://nobody@/nothing?host={tmp_path}"
    with pytest.raises(Transient):
        migrate(url)
    database = Database(url, timeout_s=0.2)
    database.open()
    with pytest.raises(Transient) as caught:
        database.verify()
    assert caught.value.retry_after_s > 0
    database.close()


def test_a_created_key_opens_the_door_and_is_stored_hashed(database_urls: DatabaseUrls) -> None:
    text = create_key(database_urls.ingest, Client(client_id="shop", name="Shop", locale="en"))
    again = create_key(database_urls.ingest, Client(client_id="shop", name="Another"))
    parsed = keys.parse(text)
    assert parsed is not None
    assert text != again
    database = Database(database_urls.ingest)
    database.open()
    stored = PostgresClients(database).find_key(parsed.key_id)
    database.close()
    assert stored is not None
    assert keys.matches(parsed, stored.secret_sha256)
    assert (stored.client.name, stored.client.locale) == ("Shop", "en")
    with psycopg.connect(database_urls.ingest) as connection:
        rows = connection.execute("SELECT k::text FROM ingest.api_keys k").fetchall()
    assert not any(parsed.secret in row[0] for row in rows)


def test_texts_that_postgres_cannot_hold_are_an_error_of_ours_and_not_an_outage(kept: Repositories) -> None:
    with pytest.raises(Permanent):
        kept.submissions.submit(submission(call_id="a\0b"), None)


def test_a_wrong_password_and_a_wrong_database_are_fatal_and_named_without_the_password(
    database_urls: DatabaseUrls,
) -> None:
    password = database_urls.ingest.split(":")[2].split("@")[0]
    with pytest.raises(Fatal, match="password authentication failed for user") as caught:
        migrate(database_urls.ingest.replace(password, "wrong-word"))
    assert "wrong-word" not in str(caught.value)
    with pytest.raises(Fatal, match='database "nothing" does not exist'):
        migrate(re.sub(r"@/\w+", "@/nothing", database_urls.ingest))


def test_a_full_disk_of_the_database_is_waited_for() -> None:
    with pytest.raises(Transient, match="submit: DiskFull 53100"), translated("submit"):
        raise psycopg.errors.DiskFull
