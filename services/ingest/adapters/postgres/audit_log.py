"""The audit log in PostgreSQL: written with the act, read by operators; see `audit_log.AuditLog`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from psycopg.types.json import Jsonb

from pipeline.sql import queries
from services.ingest.adapters.postgres.connecting import Connection, Database, one_row
from services.ingest.audit_log import Act, Entry, Wanted

STATEMENTS: Final = queries("services.ingest.adapters.postgres", "audit_log.sql")


def log(connection: Connection, act: Act) -> None:
    """Log an act, as the last statement of its transaction: others that act wait until it has ended."""
    connection.execute(STATEMENTS["log_act"], {**asdict(act), "details": Jsonb(dict(act.details))})


class PostgresAuditLog:
    """See `audit_log.AuditLog`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(self, wanted: Wanted, limit: int) -> list[Entry]:
        """See `AuditLog.entries`."""
        with self._database.transaction_for_all("read the audit log") as connection:
            rows = connection.execute(STATEMENTS["fetch_entries"], {**asdict(wanted), "limit": limit}).fetchall()
        return [
            Entry(
                entry_id=row["entry_id"],
                at=row["at"],
                act=Act(**{name: row[name] for name in ("who", "act", "client_id", "subject", "details")}),
                sha256=bytes(row["sha256"]).hex(),
            )
            for row in rows
        ]

    def first_broken(self) -> int | None:
        """See `AuditLog.first_broken`."""
        with self._database.transaction_for_all("verify the audit log") as connection:
            found: int | None = one_row(connection.execute(STATEMENTS["find_broken"]).fetchone())["entry_id"]
        return found
