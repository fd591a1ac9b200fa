"""Usage out of the ledger's views; see `usage.UsageRecord`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from pipeline.sql import queries
from services.ingest.adapters.postgres.connecting import Database
from services.ingest.usage import Usage

_STATEMENTS: Final = queries("services.ingest.adapters.postgres", "usage.sql")
_MONTH_AND_SOME: Final = timedelta(days=32)


class PostgresUsage:
    """See `usage.UsageRecord`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_month(self, month: date, client_id: str | None = None) -> list[Usage]:
        """See `UsageRecord.of_month`."""
        asked = {
            "month": month,
            "since": datetime.combine(month, time(), UTC),
            "before": datetime.combine((month + _MONTH_AND_SOME).replace(day=1), time(), UTC),
            "client_id": client_id,
        }
        with self._database.transaction_for(client_id, "read usage") as connection:
            billed = {row["client_id"]: row for row in connection.execute(_STATEMENTS["fetch_billed"], asked)}
            work = {row["client_id"]: row for row in connection.execute(_STATEMENTS["fetch_work"], asked)}
            failures: dict[str, dict[str, int]] = {}
            for row in connection.execute(_STATEMENTS["fetch_failures"], asked):
                failures.setdefault(row["client_id"], {})[row["reason"]] = row["jobs"]
        nothing: dict[str, int] = {}
        return [
            Usage(
                client_id=client,
                month=month,
                calls=billed.get(client, nothing).get("calls", 0),
                billed_ms=billed.get(client, nothing).get("billed_ms", 0),
                audio_ms=work.get(client, nothing).get("audio_ms", 0) or 0,
                engine_ms=work.get(client, nothing).get("engine_ms", 0) or 0,
                failures=failures.get(client, {}),
            )
            for client in sorted({*billed, *work, *failures})
        ]
