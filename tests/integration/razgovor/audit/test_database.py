"""The auditor's role on a real PostgreSQL: it reads what proves, nothing that names people, and writes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from pipeline.blobs.folder import FolderStore
from pipeline.contracts import layout
from pipeline.contracts.transcript import sha256_hex
from pipeline.errors import Transient
from pipeline.telemetry.metrics import Metrics
from pipeline.testing import samples
from razgovor.audit.adapters.postgres import PostgresDatabase
from razgovor.audit.adapters.stores import FolderObjects
from razgovor.audit.run import Question, Report, audit
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.postgres import Database, PostgresClients, PostgresSubmissions
from services.ingest.adapters.postgres import migrate as migrate_ingest
from services.ledger.adapters.postgres import PostgresLedger, PostgresRetention
from services.ledger.expirer import Expirer
from services.ledger.handler import Arrival, handle
from tests.integration.ingest.repositories import ACME, submission

DATA = b"what was said"


@pytest.fixture
def urls(database_urls: DatabaseUrls) -> DatabaseUrls:
    """A database with one job of ingest that the ledger has completed."""
    migrate_ingest(database_urls.ingest)
    ledger = PostgresLedger(database_urls.ledger)
    ledger.migrate()
    migrate_ingest(database_urls.ingest)
    ledger.close()
    return database_urls


def complete(urls: DatabaseUrls, store: Path) -> str:
    """Accept a job, complete it, and put its objects; its id."""
    database = Database(urls.ingest)
    database.open()
    PostgresClients(database).add_key(ACME, "0123456789ab", bytes(32), ())
    made = submission()
    made = replace(made, audio=replace(made.audio, sha256=sha256_hex(DATA), size_bytes=len(DATA)))
    accepted = PostgresSubmissions(database).submit(made, None)
    database.close()
    ref = {"sha256": sha256_hex(DATA), "size_bytes": len(DATA)}
    key = layout.transcript_key(made.job_id, 1, sha256_hex(DATA))
    text = layout.artefact_key(made.job_id, 1, sha256_hex(DATA), "txt")
    done = samples.completion(made.job_id)
    done = done.model_copy(
        update={
            "transcript": done.transcript.model_copy(update={"key": key, **ref}),
            "artefacts": (done.artefacts[0].model_copy(update={"key": text, **ref}),),
        }
    )
    envelope: dict[str, Any] = {"accepted_at": accepted.accepted_at, "client_id": "acme"}
    events = [
        samples.audio_uploaded(made.job_id, **envelope),
        samples.transcript_ready(made.job_id, **envelope),
        samples.job_status(made.job_id, completion=done, **envelope),
    ]
    ledger = PostgresLedger(urls.ledger)
    ledger.apply(
        [
            handle(Arrival(event.TOPIC, 0, offset, samples.ACCEPTED_AT), event, bill_reprocess=True)
            for offset, event in enumerate(events)
        ]
    )
    ledger.close()
    for name in (layout.audio_key(made.job_id), key, text):
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).write_bytes(DATA)
    return made.job_id


def ask(urls: DatabaseUrls, store: Path) -> Report:
    return audit(PostgresDatabase(urls.auditor), FolderObjects(store), None, Question(drained=True))


def found(report: Report) -> set[str]:
    return {f"{one} {code}" for one, tally in report.findings.tallies.items() for code in tally.violations}


def test_what_the_services_wrote_is_audited_whole(urls: DatabaseUrls, tmp_path: Path) -> None:
    complete(urls, tmp_path)
    report = ask(urls, tmp_path)
    # The sample's transcript is no JSON of this job: the only thing that is wrong.
    assert found(report) == {"I7 transcript_of_another_job"}
    assert report.jobs == 1
    assert report.unfinished_count == 0


def test_what_is_broken_in_the_tables_is_found(urls: DatabaseUrls, tmp_path: Path) -> None:
    job_id = complete(urls, tmp_path)
    with psycopg.connect(urls.admin, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("DELETE FROM ledger.usage WHERE job_id = %s", (job_id,))
        admin.execute("UPDATE ledger.artefacts SET size_bytes = 1")
        admin.execute("UPDATE ledger.jobs SET client_id = 'other'")
        admin.execute("UPDATE ledger.runs SET state = 'transcribing'")
    assert {
        "I1 unfinished",
        "I1 not_the_strongest_claim",
        "I2 completed_not_billed",
        "I3 another_size",
        "I7 another_client",
    } <= found(ask(urls, tmp_path))


def test_the_role_reads_nothing_that_names_people_and_no_keys(urls: DatabaseUrls) -> None:
    with psycopg.connect(urls.auditor, autocommit=True) as auditor:
        for forbidden in (
            "SELECT customer_number FROM ingest.submissions",
            "SELECT operator FROM ingest.submissions",
            "SELECT secret_sha256 FROM ingest.api_keys",
            "SELECT event FROM ingest.outbox",
            "SELECT value FROM ledger.dlq",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                auditor.execute(sql.SQL(forbidden))


def test_the_role_writes_nothing_also_where_it_asks_to(urls: DatabaseUrls) -> None:
    with psycopg.connect(urls.auditor, autocommit=True) as auditor:
        with pytest.raises(errors.ReadOnlySqlTransaction):
            auditor.execute("DELETE FROM ledger.usage")
        auditor.execute("SET default_transaction_read_only = off")
        for forbidden in ("DELETE FROM ledger.usage", "CREATE TABLE ledger.mine (a int)", "DELETE FROM ingest.outbox"):
            with pytest.raises(errors.InsufficientPrivilege):
                auditor.execute(sql.SQL(forbidden))


def test_a_database_that_does_not_answer_is_waited_for_by_whoever_asks() -> None:
    away = PostgresDatabase("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    with pytest.raises(Transient), away.snapshot():
        pass


@pytest.mark.parametrize(("audio_days", "transcript_days", "left"), [(30, None, 2), (None, 30, 1), (30, 30, 0)])
def test_what_expired_as_its_client_agreed_is_not_lost(
    urls: DatabaseUrls, tmp_path: Path, audio_days: int | None, transcript_days: int | None, left: int
) -> None:
    job_id = complete(urls, tmp_path)
    with psycopg.connect(urls.admin, autocommit=True) as admin:
        admin.execute("UPDATE ledger.jobs SET accepted_at = accepted_at - interval '31 days'")
        admin.execute("UPDATE ledger.runs SET completed_at = now() - interval '31 days'")
        admin.execute(
            "UPDATE ingest.clients SET audio_retention_days = %s, transcript_retention_days = %s",
            (audio_days, transcript_days),
        )
    expirer = Expirer(FolderStore(tmp_path), PostgresRetention(urls.ledger), Metrics())
    assert expirer.sweep() == sum(days is not None for days in (audio_days, transcript_days))
    assert len(list(FolderStore(tmp_path).list(layout.job_prefix(job_id)))) == left
    assert not {one for one in found(ask(urls, tmp_path)) if one.startswith("I3")}
    # Without the rows that say so it is.
    with psycopg.connect(urls.admin, autocommit=True) as admin:
        admin.execute("DELETE FROM ledger.expiries")
    assert "I3 object_missing" in found(ask(urls, tmp_path))
