"""A week's backlog in a real PostgreSQL: what a step reads depends on what it announces, not on what waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from pipeline.contracts import states
from pipeline.testing.samples import audio_uploaded
from razgovor.embedded.postgres import EmbeddedPostgres
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.postgres import Database, PostgresOutbox, migrate
from services.ingest.adapters.postgres.jobs import FETCH_ARTEFACTS, FETCH_JOBS, PAGE_OF_JOBS
from services.ingest.adapters.postgres.statements import STATEMENTS
from services.ingest.listing import ANYTHING
from services.ledger.adapters.postgres import PostgresLedger

WAITING = 100_000
ANNOUNCED = 2_000
CLIENTS = 40
BATCH = 500
NO_BOUNDS: dict[str, list[object]] = {"client_ids": [], "rooms": []}

FILL_INGEST = """
INSERT INTO ingest.clients (client_id, name, channel_map, language, locale, formats)
SELECT 'client-' || number, '', '{}', 'ru', 'ru', '{}' FROM generate_series(0, %(clients)s - 1) AS number;
"""
FILL_SUBMISSIONS = """
INSERT INTO ingest.submissions (job_id, run, client_id, call_id, accepted_at, priority, audio_key, audio_sha256,
    audio_size_bytes, media_type, channel_roles, language, locale, formats, metadata)
SELECT 'job-' || number, 1, 'client-' || number %% %(clients)s, '', now(), 'bulk', '', '', 0, '', '{}', 'ru', 'ru', '{}', '{}'
FROM generate_series(1, %(jobs)s) AS number
"""
FILL_OUTBOX = """
INSERT INTO ingest.outbox (job_id, run, client_id, priority, topic, event)
SELECT job_id, 1, client_id, priority, 'audio.uploaded',
    %(event)s::jsonb || jsonb_build_object('job_id', job_id, 'client_id', client_id, 'priority', priority)
FROM ingest.submissions
"""
ANNOUNCE = """
UPDATE ingest.outbox SET sent_at = now(), cluster_id = 'here', "partition" = outbox_id %% 48, "offset" = outbox_id
WHERE outbox_id <= %(announced)s
"""
#: All that was announced and half of what waits is known to the ledger, and many that ended long ago.
FILL_LEDGER = """
INSERT INTO ledger.jobs (job_id, run, client_id, call_id, accepted_at)
SELECT 'job-' || number, 1, 'client', '', now() FROM generate_series(1 - %(jobs)s, %(jobs)s / 2) AS number
"""
FILL_RUNS = """
INSERT INTO ledger.runs (job_id, run, state, rank) SELECT job_id, 1, 'transcribing', 1 FROM ledger.jobs
"""


@pytest.fixture(scope="module")
def backlog(postgres_server: EmbeddedPostgres) -> DatabaseUrls:
    """What waits is bulk, of many clients; one of them also has one interactive call."""
    urls = postgres_server.create_database("backlog")
    migrate(urls.ingest)
    ledger = PostgresLedger(urls.ledger)
    ledger.migrate()
    ledger.close()
    event = audio_uploaded().model_dump(mode="json")
    numbers = {"clients": CLIENTS, "jobs": WAITING + ANNOUNCED, "announced": ANNOUNCED, "event": Jsonb(event)}
    with psycopg.connect(urls.ingest) as connection:
        for statement in (FILL_INGEST, FILL_SUBMISSIONS, FILL_OUTBOX, ANNOUNCE):
            connection.execute(statement.encode(), numbers)
    with psycopg.connect(urls.ledger) as connection:
        for statement in (FILL_LEDGER, FILL_RUNS):
            connection.execute(statement.encode(), numbers)
    return urls


@pytest.fixture(params=["as filled", "analysed"])
def connection(request: pytest.FixtureRequest, backlog: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    """With and without the statistics that the server gathers when it finds the time."""
    if request.param == "analysed":
        with psycopg.connect(backlog.admin, autocommit=True) as admin:
            admin.execute("ANALYZE")
    with psycopg.connect(backlog.ingest) as connection:
        yield connection
        connection.rollback()


def rows_read(connection: psycopg.Connection[Any], statement: str, **values: object) -> int:
    """Rows that the statement takes from tables and indexes, those included that it throws away."""
    explained = connection.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement, values).fetchone()
    assert explained is not None
    return sum(_rows(node) for node in _nodes(explained[0][0]["Plan"]) if "Relation Name" in node)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _rows(node: dict[str, Any]) -> int:
    taken = float(node["Actual Rows"]) + float(node.get("Rows Removed by Filter", 0))
    return round(taken * int(node["Actual Loops"]))


@pytest.mark.parametrize("limit", [1, 7, BATCH])
def test_choosing_what_is_next_reads_what_it_gives_and_a_row_per_client(
    connection: psycopg.Connection[Any], limit: int
) -> None:
    read = rows_read(connection, STATEMENTS["fetch_waiting"], priority="bulk", limit=limit, **NO_BOUNDS)
    assert limit <= read <= 2 * limit + 2 * CLIENTS + 5


def test_a_priority_of_which_nothing_waits_costs_nothing(connection: psycopg.Connection[Any]) -> None:
    assert rows_read(connection, STATEMENTS["fetch_waiting"], priority="interactive", limit=BATCH, **NO_BOUNDS) <= 1


def test_looking_at_what_is_announced_reads_no_more_than_that(connection: psycopg.Connection[Any]) -> None:
    assert rows_read(connection, STATEMENTS["fetch_logs"]) == ANNOUNCED
    assert rows_read(connection, STATEMENTS["fetch_sent"]) == ANNOUNCED
    assert rows_read(connection, STATEMENTS["fetch_rooms"]) <= ANNOUNCED + CLIENTS


def test_closing_reads_the_record_of_announced_jobs_only(connection: psycopg.Connection[Any]) -> None:
    read = rows_read(connection, STATEMENTS["close_finished"], terminal=sorted(states.TERMINAL))
    assert ANNOUNCED <= read <= 5 * ANNOUNCED


def test_asking_for_a_job_reads_that_job(connection: psycopg.Connection[Any]) -> None:
    job = {"client_id": "client-7", "job_id": "job-7"}
    connection.execute("SET LOCAL razgovor.client_id = 'client-7'")
    assert rows_read(connection, FETCH_JOBS, client_id=job["client_id"], job_ids=[job["job_id"]]) <= 10
    assert rows_read(connection, FETCH_ARTEFACTS, **job, run=1) <= 10


def test_a_page_of_jobs_reads_that_page(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SET LOCAL razgovor.client_id = 'client-7'")
    first = {"client_id": "client-7", "accepted_at": None, "job_id": None, **asdict(ANYTHING), "limit": 50}
    assert rows_read(connection, PAGE_OF_JOBS, **first) <= 50 * 6


def test_the_turn_over_a_backlog_serves_all_clients_alike(backlog: DatabaseUrls) -> None:
    database = Database(backlog.ingest)
    database.open()
    with PostgresOutbox(database).turn() as turn:
        assert turn is not None
        waiting = turn.waiting("bulk", BATCH, {})
    database.close()
    served = [row.event.client_id for row in waiting]
    assert len(waiting) == BATCH
    assert {served.count(f"client-{number}") for number in range(CLIENTS)} == {BATCH // CLIENTS, BATCH // CLIENTS + 1}
    assert len(set(served[:CLIENTS])) == CLIENTS
