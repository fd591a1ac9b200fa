"""One hash over everything the ledger says, for proving that a replay changed nothing. Called by tests and the checker.

Left out: where and when a record arrived (`seen.topic`, `partition`, `offset`, `recorded_at`) and the clock of the
database at the time of writing (`applied_at`, `posted_at`, migrations), what an operator did with dead letters, where these
lie: a record that is read again is put aside again, and counts once for each group.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, LiteralString

import psycopg

#: What counts of each table, in the order of its key.
_TABLES: Final[tuple[LiteralString, ...]] = (
    'SELECT event_id, job_id, run, state, counted FROM ledger.seen ORDER BY event_id COLLATE "C"',
    'SELECT job_id, run, client_id, call_id, accepted_at FROM ledger.jobs ORDER BY job_id COLLATE "C"',
    'SELECT * FROM ledger.runs ORDER BY job_id COLLATE "C", run',
    'SELECT * FROM ledger.results ORDER BY job_id COLLATE "C", run',
    'SELECT * FROM ledger.artefacts ORDER BY job_id COLLATE "C", run, format COLLATE "C"',
    'SELECT * FROM ledger.timings ORDER BY job_id COLLATE "C", run',
    """SELECT job_id, run, kind, leg, client_id, period, accepted_at, duration_ms, amount, currency
    FROM ledger.usage ORDER BY job_id COLLATE "C", run, kind COLLATE "C", leg COLLATE "C" """,
    """SELECT kind, client_id, valid_from, per_minute, currency
    FROM ledger.prices ORDER BY kind COLLATE "C", client_id COLLATE "C", valid_from""",
    """SELECT * FROM (
        SELECT DISTINCT ON (home_topic, home_partition, home_offset, consumer_group, value_sha256)
            coalesce(origin_topic, topic) AS home_topic, coalesce(origin_partition, partition) AS home_partition,
            coalesce(origin_offset, "offset") AS home_offset, consumer_group, value_sha256, key, value, header_names,
            header_values, reason, event_id
        FROM ledger.dlq
        ORDER BY home_topic, home_partition, home_offset, consumer_group, value_sha256, recorded_at, partition, "offset"
    ) AS letters
    ORDER BY home_topic COLLATE "C", home_partition, home_offset, consumer_group COLLATE "C", value_sha256 COLLATE "C" """,
)
#: How values are written must not depend on who asks.
_AS_TEXT: Final[tuple[LiteralString, ...]] = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL DateStyle = 'ISO, YMD'",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL extra_float_digits = 1",
)


def checksum(connection: psycopg.Connection[Any]) -> str:
    """SHA-256, hex, of one snapshot; reads row by row, so the ledger may be of any size.

    Args:
        connection: Outside of a transaction, as a role that may read the tables.

    Raises:
        psycopg.Error: As PostgreSQL says: this is a tool for whoever holds the connection.
    """
    digest = hashlib.sha256()
    with connection.transaction(), connection.cursor() as cursor:
        for setting in _AS_TEXT:
            cursor.execute(setting)
        for select in _TABLES:
            digest.update(b"\x00")
            with cursor.copy("COPY (" + select + ") TO STDOUT") as rows:
                for row in rows:
                    digest.update(row)
    return digest.hexdigest()
