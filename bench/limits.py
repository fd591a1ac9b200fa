"""What limits cost: a submission of a client with a quota against one without, a request that is counted, usage by days.

    python bench/limits.py

In PostgreSQL alone, in rounds that alternate, so that whatever else runs hits both alike; the ratios of the medians count. The
client with a quota has a backlog of open reservations and a month of usage beside it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
from rich.console import Console
from rich.table import Table

from pipeline.contracts import layout
from pipeline.contracts.call_info import CallInfo
from pipeline.testing import samples
from razgovor.embedded.testing import temporary_postgres
from services.ingest.adapters.postgres import Database, PostgresClients, PostgresRates, PostgresSubmissions, migrate
from services.ingest.clients import UNLIMITED, Client, Quota
from services.ingest.rates import Rate
from services.ingest.submissions import StoredAudio, Submission
from services.ledger.adapters.postgres import PostgresLedger
from services.ledger.handler import Arrival, handle

OUT: Final = Path(__file__).parent / "out" / "limits.json"
BACKLOG: Final = 10_000
CALLS: Final = 45_000
BOUNDED: Final = Quota(daily_minutes=10_000_000, monthly_minutes=10_000_000)
BATCH: Final = 200


def submission(client_id: str) -> Submission:
    """A minute of telephone speech."""
    job_id = str(uuid.uuid4())
    return Submission(
        job_id=job_id,
        run=1,
        client_id=client_id,
        call_id=job_id,
        priority="normal",
        audio=StoredAudio(
            key=layout.audio_key(job_id),
            sha256="ab" * 32,
            size_bytes=960_000,
            media_type="audio/wav",
            declared_duration_ms=60_000,
        ),
        call_info=CallInfo(),
        call_info_key=layout.call_info_key(job_id),
        channel_roles=(),
        language="ru",
        locale="ru",
        formats=("txt",),
    )


def spent_ms(work: Callable[[], object], times: int) -> float:
    """Milliseconds of one, by the median of so many."""
    taken = []
    for _ in range(times):
        started_s = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started_s) * 1000)
    return statistics.median(taken)


def completed_batch() -> list[object]:
    """Completed runs of a batch, as the ledger applies them."""
    now = datetime.now(UTC)
    events = [samples.job_status(str(uuid.uuid4()), accepted_at=now) for _ in range(BATCH)]
    return [handle(Arrival(event.TOPIC, 0, 0, now), event, bill_reprocess=True) for event in events]


def apply(ledger: PostgresLedger) -> float:
    """Milliseconds for a batch."""
    outcomes = completed_batch()
    started_s = time.perf_counter()
    ledger.apply(outcomes)  # type: ignore[arg-type]  # as `handle` makes them
    return (time.perf_counter() - started_s) * 1000


def fill(ingest_url: str, ledger_url: str) -> None:
    """A backlog and a month of usage for the client with a quota."""
    with psycopg.connect(ingest_url) as connection:
        connection.execute(
            """WITH kept AS (
                INSERT INTO ingest.submissions (job_id, run, client_id, call_id, accepted_at, priority, audio_key,
                    audio_sha256, audio_size_bytes, media_type, channel_roles, language, locale, formats, metadata)
                SELECT 'job-' || n, 1, 'bounded', '', now(), 'bulk', '', '', 0, '', '{}', 'ru', 'ru', '{}', '{}'
                FROM generate_series(1, %s) n RETURNING job_id)
            INSERT INTO ingest.outbox (job_id, run, client_id, priority, topic, event, reserved_ms)
            SELECT job_id, 1, 'bounded', 'bulk', 't', '{}', 60000 FROM kept""",
            (BACKLOG,),
        )
    with psycopg.connect(ledger_url) as connection:
        connection.execute(
            """INSERT INTO ledger.usage (job_id, run, kind, leg, client_id, period, accepted_at, duration_ms, amount, currency)
            SELECT 'old-' || n, 1, 'transcription', leg, 'bounded', date_trunc('month', now(), 'UTC')::date,
                now(), sign * 60000, 0, 'XXX'
            FROM generate_series(1, %s) n, (VALUES ('client', 1), ('service', -1)) legs (leg, sign)""",
            (CALLS,),
        )


def main() -> None:
    """Run, print the table, write bench/out/limits.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--times", type=int, default=20, help="of each in a round")
    told = parser.parse_args()
    figures: dict[str, list[float]] = {}
    with temporary_postgres() as server:
        urls, bare = server.create_database("bench"), server.create_database("bare")
        ledgers = {
            "a batch of usage with days": PostgresLedger(urls.ledger),
            "a batch of usage": PostgresLedger(bare.ledger),
        }
        for ledger in ledgers.values():
            ledger.migrate()
        with psycopg.connect(bare.ledger) as connection:
            connection.execute("DROP TRIGGER summed ON ledger.usage")
        migrate(urls.ingest)
        database = Database(urls.ingest)
        database.open()
        clients = PostgresClients(database)
        plain = Client(client_id="plain", name="Plain")
        for client in (plain, replace(plain, client_id="bounded", quota=BOUNDED)):
            clients.create(client)
        fill(urls.ingest, urls.ledger)
        submissions, rates = PostgresSubmissions(database), PostgresRates(database)
        works: dict[str, Callable[[], object]] = {
            "a submission": lambda: submissions.submit(submission("plain"), None, UNLIMITED),
            "a submission with a quota": lambda: submissions.submit(submission("bounded"), None, BOUNDED),
            "a request that is counted": lambda: rates.take("plain", Rate(600_000)),
        }
        for _ in range(told.rounds):
            for name, work in works.items():
                figures.setdefault(name, []).append(spent_ms(work, told.times))
            for name, ledger in ledgers.items():
                figures.setdefault(name, []).append(apply(ledger))
        database.close()
        for ledger in ledgers.values():
            ledger.close()
    medians = {name: statistics.median(found) for name, found in figures.items()}
    ratios = {
        "quota": medians["a submission with a quota"] / medians["a submission"],
        "days": medians["a batch of usage with days"] / medians["a batch of usage"],
    }
    table = Table("", "ms")
    for name, value in medians.items():
        table.add_row(name, f"{value:.2f}")
    for name, value in ratios.items():
        table.add_row(f"ratio: {name}", f"{value:.2f}")
    Console().print(table)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"ms": medians, "ratios": ratios}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
