"""Buckets of requests in PostgreSQL; see `rates.Rates`."""

from __future__ import annotations

from services.ingest.adapters.postgres.connecting import Database
from services.ingest.adapters.postgres.statements import LIMITS
from services.ingest.rates import Rate, Taken


class PostgresRates:
    """See `rates.Rates`. A take is one statement, and nothing that the server writes to the disk for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, client_id: str, rate: Rate) -> Taken:
        """See `Rates.take`."""
        wanted = {"client_id": client_id, "step_us": rate.step_us, "capacity_us": rate.capacity_us}
        with self._database.statement("take a request") as connection:
            taken = connection.execute(LIMITS["take_request"], wanted).fetchone()
            if taken is not None:
                return Taken(allowed=True, ahead_us=taken["ahead_us"])
            left = connection.execute(LIMITS["look_at_rate"], wanted).fetchone()
        return Taken(allowed=False, ahead_us=left["ahead_us"] if left is not None else rate.capacity_us)
