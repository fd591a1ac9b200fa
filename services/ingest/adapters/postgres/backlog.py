"""The backlog out of PostgreSQL; see `services.ingest.backlog`."""

from __future__ import annotations

from services.ingest.adapters.postgres.connecting import Database
from services.ingest.adapters.postgres.statements import STATEMENTS
from services.ingest.backlog import Waiting


class PostgresBacklog:
    """See `backlog.Backlog`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def measure(self) -> list[Waiting]:
        """See `Backlog.measure`."""
        with self._database.transaction_for_all("measure the backlog") as connection:
            return [Waiting(**row) for row in connection.execute(STATEMENTS["measure_backlog"])]
