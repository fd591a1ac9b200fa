"""The schema comes once, whole, whoever starts first; ingest may read the views and nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from pipeline.errors import Fatal
from pipeline.sql import Migration
from pipeline.testing import samples
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ledger.adapters.postgres import PostgresLedger, migrator
from services.ledger.adapters.postgres.connecting import connect
from services.ledger.handler import Arrival, handle

Connection = psycopg.Connection[Any]
VIEWS = ("jobs_v1", "artefacts_v1", "usage_v1", "usage_days_v1", "erasures_v1", "runs_v1")


def migrate(url: str, steps: tuple[Migration, ...] = migrator.STEPS) -> int:
    with connect(url) as connection:
        return migrator.migrate(connection, steps)


def tables(owner: Connection) -> set[str]:
    return {
        name for (name,) in owner.execute("SELECT relname FROM pg_class WHERE relnamespace = 'ledger'::regnamespace")
    }


def test_a_second_migration_does_nothing(database_urls: DatabaseUrls) -> None:
    assert migrate(database_urls.ledger) == len(migrator.STEPS)
    with psycopg.connect(database_urls.ledger, autocommit=True) as owner:
        catalogue = "SELECT oid, relname, xmin::text, relacl FROM pg_class WHERE relnamespace = 'ledger'::regnamespace"
        before = owner.execute(catalogue).fetchall()
        assert migrate(database_urls.ledger) == 0
        assert owner.execute(catalogue).fetchall() == before


def test_ledgers_that_start_together_take_turns(database_urls: DatabaseUrls) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migrate, [database_urls.ledger] * 4))
    assert sorted(applied) == [0, 0, 0, len(migrator.STEPS)]


def test_a_released_migration_that_changed_is_fatal(database_urls: DatabaseUrls) -> None:
    migrate(database_urls.ledger)
    first, *rest = migrator.STEPS
    changed = (replace(first, sql=first.sql + "-- changed"), *rest)
    with pytest.raises(Fatal, match="0001_record"):
        migrate(database_urls.ledger, changed)


def test_a_migration_that_fails_leaves_nothing_of_itself(database_urls: DatabaseUrls, owner: Connection) -> None:
    before = tables(owner)
    number = len(migrator.STEPS) + 1
    broken = Migration(number, "broken", "CREATE TABLE ledger.half (a int); SELECT no_such_function();")
    with pytest.raises(errors.UndefinedFunction):
        migrate(database_urls.ledger, (*migrator.STEPS, broken))
    assert tables(owner) == before
    mended = replace(broken, sql="CREATE TABLE ledger.half (a int)")
    assert migrate(database_urls.ledger, (*migrator.STEPS, mended)) == 1


def test_an_older_release_lives_with_a_newer_schema(database_urls: DatabaseUrls) -> None:
    newer = Migration(len(migrator.STEPS) + 1, "newer", "CREATE TABLE ledger.newer (a int)")
    migrate(database_urls.ledger, (*migrator.STEPS, newer))
    assert migrate(database_urls.ledger) == 0


def test_without_the_schema_the_migration_makes_it(database_urls: DatabaseUrls) -> None:
    with psycopg.connect(database_urls.admin, autocommit=True) as admin:
        admin.execute("DROP SCHEMA ledger CASCADE")
        assert migrate(database_urls.admin) == len(migrator.STEPS)
        assert "jobs_v1" in tables(admin)
        admin.execute("DROP SCHEMA ledger CASCADE")
    with pytest.raises(Fatal, match="migrate: InsufficientPrivilege 42501"):
        PostgresLedger(database_urls.ledger).migrate()


@pytest.mark.usefixtures("ledger")
def test_ingest_reads_the_views(database_urls: DatabaseUrls) -> None:
    with psycopg.connect(database_urls.ingest, autocommit=True) as ingest:
        for view in VIEWS:
            assert ingest.execute(sql.SQL("SELECT * FROM ledger.{}").format(sql.Identifier(view))).fetchall() == []


def test_ingest_joins_the_views_to_its_own_texts(database_urls: DatabaseUrls, ledger: PostgresLedger) -> None:
    event = samples.audio_uploaded()
    ledger.apply([handle(Arrival(event.TOPIC, 0, 0, samples.ACCEPTED_AT), event, bill_reprocess=True)])
    with psycopg.connect(database_urls.ingest, autocommit=True) as ingest:
        ingest.execute("CREATE TABLE ingest.own (job_id text, client_id text)")
        ingest.execute("INSERT INTO ingest.own VALUES ('job-1', 'acme'), ('job-2', 'acme')")
        joined = (
            "SELECT job_id, state FROM ingest.own LEFT JOIN ledger.jobs_v1 USING (job_id, client_id) ORDER BY job_id"
        )
        assert ingest.execute(joined).fetchall() == [("job-1", "queued"), ("job-2", None)]


def test_ingest_reads_no_table_and_writes_nothing(database_urls: DatabaseUrls, owner: Connection) -> None:
    relations = "SELECT relname FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind IN ('r', 'v')"
    names = [name for (name,) in owner.execute(relations)]
    assert set(VIEWS) < set(names)
    rights = "SELECT right_ FROM unnest(%s::text[]) AS right_ WHERE has_table_privilege('razgovor_ingest', %s, right_)"
    every = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]
    for name in names:
        granted = [right for (right,) in owner.execute(rights, (every, f"ledger.{name}"))]
        assert granted == (["SELECT"] if name in VIEWS else []), name
    with psycopg.connect(database_urls.ingest, autocommit=True) as ingest:
        for forbidden in (
            "SELECT FROM ledger.jobs",
            "INSERT INTO ledger.artefacts VALUES ('j', 1, 'txt', 'k', 's', 1)",
            "DELETE FROM ledger.artefacts",
            "TRUNCATE ledger.dlq",
            "CREATE TABLE ledger.mine (a int)",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                ingest.execute(sql.SQL(forbidden))
