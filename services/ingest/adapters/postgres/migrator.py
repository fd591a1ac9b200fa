"""Brings the schema `ingest` to this release. Called by `__main__` and `razgovor keys` at every start.

Each step is one transaction that also records the step's checksum. An advisory lock lets replicas that start together
take turns. Steps that a newer release applied are left alone.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg

from pipeline.sql import Migration, migrations, missing
from services.ingest.adapters.postgres.errors import translated
from services.ingest.adapters.postgres.statements import STATEMENTS

STEPS: Final = migrations("services.ingest.adapters.postgres.migrations")


def migrate(url: str, steps: tuple[Migration, ...] = STEPS) -> int:
    """Apply what is missing, in order.

    Args:
        url: PostgreSQL as the role that owns the schema `ingest`.
        steps: All steps of this release.

    Returns:
        How many steps were applied; 0 when the schema is up to date.

    Raises:
        Fatal: A step that was applied reads differently in this release.
        Transient: The server does not answer.
        Permanent: The server refuses.
    """
    with translated("migrate"), psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(STATEMENTS["lock_migrations"])  # given back with the connection
        connection.execute(STATEMENTS["prepare_migrations"])
        applied: dict[int, str] = dict(connection.execute(STATEMENTS["applied_migrations"]).fetchall())
        lacking = missing(steps, applied)
        for step in lacking:
            _apply(connection, step)
        connection.execute(STATEMENTS["grant_sweeping"])
        connection.execute(STATEMENTS["grant_auditing"])
    return len(lacking)


def _apply(connection: psycopg.Connection[tuple[Any, ...]], step: Migration) -> None:
    with connection.transaction():
        connection.execute(step.sql)
        record = {"number": step.number, "name": step.name, "sha256": step.sha256}
        connection.execute(STATEMENTS["record_migration"], record)
