"""Brings the schema `ledger` to this release. Called through `PostgresLedger.migrate` at every start.

Each step is one transaction that also records the step's checksum, so a step is there wholly or not at all. An advisory
lock lets ledgers that start together take turns. Steps that a newer release applied are left alone: releases may run
side by side while one replaces the other.
"""

from __future__ import annotations

from pipeline.sql import Migration, migrations, missing
from services.ledger.adapters.postgres.connecting import Connection
from services.ledger.adapters.postgres.statements import STATEMENTS

STEPS = migrations("services.ledger.adapters.postgres.migrations")


def migrate(connection: Connection, steps: tuple[Migration, ...] = STEPS) -> int:
    """Apply what is missing, in order.

    Returns:
        How many steps were applied; 0 when the schema is up to date.

    Raises:
        Fatal: A step that was applied reads differently in this release.
        psycopg.Error: PostgreSQL says no.
    """
    connection.execute(STATEMENTS["lock_migrations"])  # given back when we fail: the caller closes the connection
    connection.execute(STATEMENTS["prepare_migrations"])
    applied: dict[int, str] = dict(connection.execute(STATEMENTS["applied_migrations"]).fetchall())
    lacking = missing(steps, applied)
    for step in lacking:
        _apply(connection, step)
    connection.execute(STATEMENTS["grant_reading"])
    connection.execute(STATEMENTS["grant_auditing"])
    connection.execute(STATEMENTS["unlock_migrations"])
    return len(lacking)


def _apply(connection: Connection, step: Migration) -> None:
    with connection.transaction():
        connection.execute(step.sql)
        connection.execute(
            STATEMENTS["record_migration"], {"number": step.number, "name": step.name, "sha256": step.sha256}
        )
