"""What row-level security costs: the same work in two databases, in one of which the policies are switched off.

    python -m bench.row_security

First in PostgreSQL alone: a submission, a job that is shown, a page of a list, among 20,000 jobs of 20 clients. Then two
ingests side by side that accept a 20 KB WAV from 8 clients at once, in rounds that alternate. Whatever else runs hits both
alike; the ratios of the medians count.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.accept import ingest, load
from bench.limits import spent_ms, submission
from pipeline.stream.kafka_mock import MockCluster
from razgovor.embedded.postgres import EmbeddedPostgres
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.embedded.testing import temporary_postgres
from services.ingest.adapters.postgres import Database, PostgresClients, PostgresJobs, PostgresSubmissions, migrate
from services.ingest.admin import create_key
from services.ingest.clients import Client
from services.ingest.listing import Wanted
from services.ledger.adapters.postgres import PostgresLedger

OUT: Final = Path(__file__).parent / "out" / "row_security.json"
ARMS: Final = ("with", "without")
CLIENTS: Final = tuple(f"client-{number}" for number in range(20))
JOBS: Final = 20_000
HTTP_CLIENTS: Final = 8
_FILL: Final = """WITH kept AS (
    INSERT INTO ingest.submissions (job_id, run, client_id, call_id, accepted_at, priority, audio_key,
        audio_sha256, audio_size_bytes, media_type, channel_roles, language, locale, formats, metadata)
    SELECT 'job-' || n, 1, 'client-' || n %% 20, '', now() - n * interval '1 minute', 'bulk', '', '', 0, '', '{}', 'ru', 'ru',
        '{}', '{}'
    FROM generate_series(1, %s) n RETURNING job_id, client_id)
INSERT INTO ingest.outbox (job_id, run, client_id, priority, topic, event, closed_at)
SELECT job_id, 1, client_id, 'bulk', 't', '{}', now() FROM kept"""
_POLICED: Final = "SELECT oid::regclass::text FROM pg_class WHERE relrowsecurity"


def prepared(server: EmbeddedPostgres, name: str) -> DatabaseUrls:
    """A database with jobs of many clients; `without` has its policies switched off."""
    urls = server.create_database(name)
    ledger = PostgresLedger(urls.ledger)
    ledger.migrate()
    ledger.close()
    migrate(urls.ingest)
    database = Database(urls.ingest)
    database.open()
    for client_id in CLIENTS:
        PostgresClients(database).create(Client(client_id=client_id, name=client_id))
    database.close()
    with psycopg.connect(urls.ingest) as connection:
        connection.execute(_FILL, (JOBS,))
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        if name == "without":
            for (table,) in connection.execute(_POLICED).fetchall():
                schema, _, bare = table.partition(".")
                connection.execute(
                    sql.SQL("ALTER TABLE {} DISABLE ROW LEVEL SECURITY").format(sql.Identifier(schema, bare))
                )
        connection.execute("VACUUM ANALYZE")
    return urls


def works(database: Database) -> dict[str, Callable[[], object]]:
    """What is timed, by name."""
    submissions, jobs = PostgresSubmissions(database), PostgresJobs(database)
    return {
        "a submission": lambda: submissions.submit(submission(CLIENTS[0]), None),
        "a job shown": lambda: jobs.fetch(CLIENTS[0], "job-20"),
        "a page of 20": lambda: jobs.page(CLIENTS[0], Wanted(), after=None, limit=20),
        "a page found by text": lambda: jobs.page(CLIENTS[0], Wanted(text="no such text"), after=None, limit=20),
    }


def in_postgres(urls: dict[str, DatabaseUrls], rounds: int, times: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each, by name and arm."""
    databases = {arm: Database(urls[arm].ingest) for arm in ARMS}
    for database in databases.values():
        database.open()
    timed: dict[str, dict[str, list[float]]] = {}
    for number in track(range(rounds), "in PostgreSQL"):
        for arm in ARMS if number % 2 else reversed(ARMS):
            for name, work in works(databases[arm]).items():
                timed.setdefault(name, {}).setdefault(arm, []).append(spent_ms(work, times))
    for database in databases.values():
        database.close()
    return {name: {arm: statistics.median(found) for arm, found in arms.items()} for name, arms in timed.items()}


@contextmanager
def both_ingests(urls: dict[str, DatabaseUrls], broker: str, folder: Path) -> Iterator[dict[str, tuple[str, str]]]:
    """Address and key of an ingest for each arm."""
    places = {arm: folder / arm for arm in ARMS}
    for place in places.values():
        place.mkdir()
    keys = {arm: create_key(urls[arm].ingest, Client(client_id=CLIENTS[0], name=CLIENTS[0])) for arm in ARMS}
    starting = [ingest(places[arm], urls[arm].ingest, broker, (folder / "store").as_uri()) for arm in ARMS]
    with starting[0] as (_, first), starting[1] as (_, second):
        yield {ARMS[0]: (first, keys[ARMS[0]]), ARMS[1]: (second, keys[ARMS[1]])}


def over_http(urls: dict[str, DatabaseUrls], rounds: int, seconds: float) -> dict[str, float]:
    """Accepted uploads a second, by arm."""
    rates: dict[str, list[float]] = {arm: [] for arm in ARMS}
    with (
        MockCluster() as broker,
        tempfile.TemporaryDirectory() as name,
    ):
        broker.create_topic("audio.uploaded")
        with both_ingests(urls, broker.address, Path(name)) as doors:
            for door in doors.values():
                asyncio.run(load(*door, HTTP_CLIENTS, 2.0))  # children and connections are there now
            for number in track(range(rounds), "over HTTP"):
                for arm in ARMS if number % 2 else reversed(ARMS):
                    started_s = time.monotonic()
                    accepted = asyncio.run(load(*doors[arm], HTTP_CLIENTS, seconds))
                    rates[arm].append(accepted / (time.monotonic() - started_s))
    return {arm: statistics.median(found) for arm, found in rates.items()}


def main() -> None:
    """Run, print the table, write bench/out/row_security.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--times", type=int, default=30, help="of each in a round, in PostgreSQL")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each round over HTTP")
    told = parser.parse_args()
    with temporary_postgres() as server:
        urls = {arm: prepared(server, arm) for arm in ARMS}
        milliseconds = in_postgres(urls, told.rounds, told.times)
        rates = over_http(urls, told.rounds, told.seconds)
    table = Table("", *ARMS, "ratio")
    for name, found in milliseconds.items():
        table.add_row(f"{name}, ms", *(f"{found[arm]:.3f}" for arm in ARMS), f"{found['with'] / found['without']:.3f}")
    rate_ratio = rates["with"] / rates["without"]
    table.add_row("uploads accepted a second", *(f"{rates[arm]:.1f}" for arm in ARMS), f"{rate_ratio:.3f}")
    Console().print(table)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"ms": milliseconds, "per_s": rates}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
