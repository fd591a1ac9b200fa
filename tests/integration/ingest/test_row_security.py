"""Row-level security: what a transaction sees when its query forgets to say whose rows it wants."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest

from pipeline.contracts.events import status
from pipeline.testing import samples
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.postgres import (
    Database,
    PostgresCalls,
    PostgresClients,
    PostgresDeliveries,
    PostgresJobs,
    PostgresOutbox,
    PostgresSeenFiles,
    PostgresStops,
    PostgresSubmissions,
)
from services.ingest.clients import Client, Retention
from services.ingest.handler import announcement
from services.ingest.submissions import Submission
from services.ingest.watching.decisions import Stamp
from services.ingest.watching.ports import LookFacts, Owner
from tests.integration.ingest.ledger_events import record
from tests.integration.ingest.repositories import ACME, Repositories, idempotency, submission
from tests.integration.ingest.test_database import completed

MINE, THEIRS = "acme", "other"
#: What ingest may read and no policy covers, and why.
UNCOVERED = {
    "ingest.rates": "one moment a client, taken in a single statement by the key's own client",
    "ingest.served": "whose turn it was at the relay: a row a priority",
    "ingest.fenced": "ids of jobs that were never accepted: nobody's",
    "ingest.sessions": "found by a token's hash alone, by whoever is nobody's yet; joined to keys, which are covered",
    "ingest.sign_in_links": "the same",
    "ingest.migrations": "names of our own files",
}
#: What a query may forget its filter in, all of which ingest reads.
READ = (
    "ingest.clients",
    "ingest.api_keys",
    "ingest.submissions",
    "ingest.idempotency",
    "ingest.outbox",
    "ingest.webhook_deliveries",
    "ingest.refused_calls",
    "ledger.jobs_v1",
    "ledger.runs_v1",
    "ledger.artefacts_v1",
    "ledger.erasures_v1",
    "ledger.usage_v1",
    "ledger.usage_days_v1",
)


@pytest.fixture
def two_clients(database: Database, migrated: DatabaseUrls) -> dict[str, Submission]:
    """A completed job of each of two clients, erased meanwhile; something of each in every relation that is covered."""
    kept = Repositories(
        PostgresClients(database), PostgresSubmissions(database), PostgresJobs(database), PostgresOutbox(database)
    )
    hook, retention = "https://hook.example/", Retention(audio_days=30)
    for client in (ACME, Client(client_id=THEIRS, name="Other")):
        kept.with_client(replace(client, webhook_url=hook, retention=retention))
    jobs = {client_id: submission(client_id) for client_id in (MINE, THEIRS)}
    for given in jobs.values():
        accepted = kept.submissions.submit(given, idempotency())
        record(migrated.ledger, *completed(given, accepted.accepted_at))
        PostgresCalls(database).refuse(given.client_id, f"refused-{given.client_id}", "source_missing", {})
        watch(PostgresSeenFiles(database), Owner(watcher="calls", client_id=given.client_id), given.job_id)
    assert PostgresDeliveries(database).collect(10) == len(jobs)
    for given in jobs.values():
        assert PostgresStops(database).erase(given.client_id, given.job_id) is not None
        record(migrated.ledger, status(announcement(given, samples.ACCEPTED_AT), "erased", "ingest"))
    return jobs


def watch(seen: PostgresSeenFiles, owner: Owner, job_id: str) -> None:
    seen.mark_taken(owner, "a.wav", Stamp(1, 1), audio_sha256="ab" * 32, job_id=job_id)
    seen.note_look(owner, LookFacts(found=1, waiting=0))


@pytest.mark.parametrize("table", READ)
@pytest.mark.usefixtures("two_clients")
def test_who_serves_a_client_sees_no_other_whatever_it_asks_for(database: Database, table: str) -> None:
    everything = f"SELECT DISTINCT client_id FROM {table} ORDER BY client_id".encode()  # noqa: S608  names of this test
    with database.transaction_of(MINE, "look") as connection:
        assert [row["client_id"] for row in connection.execute(everything)] == [MINE]
    with database.transaction_for_all("look") as connection:  # maybe the same connection, which serves nobody now
        assert [row["client_id"] for row in connection.execute(everything)] == [MINE, THEIRS]
    with database.statement("look") as connection:
        assert connection.execute(everything).fetchall() == []


def test_whatever_ingest_may_read_shows_a_client_its_own_rows_alone(
    database: Database, migrated: DatabaseUrls, two_clients: dict[str, Submission]
) -> None:
    """Also what names no client, whoever grants it and however it is held: each row is seen by exactly one of two clients."""
    readable = """SELECT format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
        AND has_any_column_privilege('razgovor_ingest', c.oid, 'SELECT')"""
    with psycopg.connect(migrated.admin) as connection:
        names = {name for (name,) in connection.execute(readable)}
    assert names > {*UNCOVERED, *READ, "ingest.stops"}
    seen = {name: rows_seen(database, name) for name in sorted(names - set(UNCOVERED))}
    empty = [name for name, (of_all, *_) in seen.items() if of_all == 0]
    assert empty == [], "give each client a row there, or nothing is proved"
    open_ones = {
        name: counts
        for name, counts in seen.items()
        if not (counts[1] == 0 and 0 < counts[2] < counts[0] and counts[2] + counts[3] == counts[0])
    }
    assert open_ones == {}, "a policy is missing, as migration 0008_row_security has them"
    assert set(two_clients) == {MINE, THEIRS}


def rows_seen(database: Database, table: str) -> tuple[int, int, int, int]:
    """How many rows are there for everybody's work, for nobody, for each of the clients."""
    count = f"SELECT count(*) AS count FROM {table}".encode()  # noqa: S608  names of the catalogue
    found = []
    for whose in ("*", "", MINE, THEIRS):
        with database.transaction_of(whose, "count") as connection:
            row = connection.execute(count).fetchone()
            assert row is not None
            found.append(row["count"])
    everybody, nobody, mine, theirs = found
    return everybody, nobody, mine, theirs


def test_who_serves_a_client_changes_no_other(database: Database, two_clients: dict[str, Submission]) -> None:
    with database.transaction_of(MINE, "change") as connection:
        for statement in (
            b"UPDATE ingest.submissions SET queue = 'x'",
            b"UPDATE ingest.outbox SET closed_at = now()",
            b"UPDATE ingest.api_keys SET revoked_at = now()",
            b"DELETE FROM ingest.idempotency",
            b"UPDATE ingest.stops SET settled_at = now()",
        ):
            assert connection.execute(statement).rowcount == 1
    with database.transaction_for_all("look") as connection:
        row = connection.execute(
            "SELECT queue FROM ingest.submissions WHERE job_id = %s", (two_clients[THEIRS].job_id,)
        ).fetchone()
    assert row is not None
    assert row["queue"] != "x"


def test_who_serves_a_client_writes_for_no_other(migrated: DatabaseUrls, two_clients: dict[str, Submission]) -> None:
    stolen = (
        "INSERT INTO ingest.idempotency (client_id, key, request_sha256, job_id) VALUES (%s, 'stolen', ''::bytea, %s)"
    )
    with psycopg.connect(migrated.ingest) as connection:
        connection.execute(f"SET LOCAL razgovor.client_id = '{MINE}'".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute(stolen, (THEIRS, two_clients[THEIRS].job_id))


def test_a_connection_that_was_lent_forgets_whom_it_served(database: Database) -> None:
    for client_id in (MINE, "it's; DROP TABLE ingest.clients"):
        with database.transaction_of(client_id, "look") as connection:
            row = connection.execute("SELECT current_setting('razgovor.client_id') AS whose").fetchone()
            assert row == {"whose": client_id}
    with database.statement("look") as connection:
        assert connection.execute("SELECT current_setting('razgovor.client_id') AS whose").fetchone() == {"whose": ""}


def test_every_table_of_clients_has_a_policy_that_binds_its_owner_too(migrated: DatabaseUrls) -> None:
    with psycopg.connect(migrated.admin) as connection:
        found = connection.execute(
            """SELECT c.oid::regclass::text, c.relrowsecurity AND c.relforcerowsecurity,
                (SELECT string_agg(pg_get_expr(polqual, polrelid), '') FROM pg_policy WHERE polrelid = c.oid)
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'client_id' AND NOT a.attisdropped
            WHERE c.relkind IN ('r', 'p') AND c.relnamespace::regnamespace::text IN ('ingest', 'ledger')
            ORDER BY 1"""
        ).fetchall()
    open_ones = {
        table
        for table, enabled, policy in found
        if not (enabled and policy is not None and "razgovor.client_id" in policy)
    }
    assert open_ones == {"ingest.rates", "ingest.served"}, (
        "give the table a policy, as migration 0008_row_security does"
    )
    of_clients = {policy for table, _, policy in found if table not in {*UNCOVERED, "ledger.prices"}}
    assert len(of_clients) == 1, "all policies are one text; only a price may be everybody's"


@pytest.mark.usefixtures("two_clients")
def test_the_release_before_and_the_janitor_say_nothing_and_see_all(migrated: DatabaseUrls) -> None:
    with psycopg.connect(migrated.ingest) as connection:
        assert connection.execute("SELECT count(*) FROM ingest.submissions").fetchone() == (2,)
    with psycopg.connect(migrated.ledger) as connection:
        assert connection.execute("SELECT count(*) FROM ingest.known_jobs_v1").fetchone() == (2,)
        assert connection.execute("SELECT count(*) FROM ledger.jobs").fetchone() == (2,)


def test_the_keyset_of_a_page_still_goes_by_its_index(database: Database) -> None:
    plan = (
        "EXPLAIN SELECT job_id FROM ingest.submissions WHERE client_id = 'acme' AND (accepted_at, job_id) < (%s, 'x') "
        "ORDER BY accepted_at DESC, job_id DESC LIMIT 20"
    )
    with database.transaction_of(MINE, "explain") as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        lines = [row["QUERY PLAN"] for row in connection.execute(plan, (datetime.now(UTC),))]
    conditions = [line for line in lines if "Index Cond" in line]
    assert len(conditions) == 1
    assert "accepted_at" in conditions[0]
