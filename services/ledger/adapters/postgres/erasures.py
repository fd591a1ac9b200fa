"""Erasures that were ordered, in the ledger's own table; see `ports.Erasures`."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pipeline.sql import queries
from services.ledger.adapters.postgres.connecting import KeptConnection
from services.ledger.ports import Erasure

_STATEMENTS: Final = queries("services.ledger.adapters.postgres", "erasures.sql")


class PostgresErasures:
    """See `ports.Erasures`. One connection, used by one thread.

    Args:
        url: The database, as the role that owns the schema `ledger`.
    """

    def __init__(self, url: str) -> None:
        self._connection = KeptConnection(url)

    def claim(self, watched: timedelta, lease: timedelta, limit: int) -> list[Erasure]:
        """See `Erasures.claim`."""
        wanted = {"watched": watched, "lease": lease, "limit": limit}
        with self._connection.lent("claim erasures") as connection:
            rows = connection.execute(_STATEMENTS["claim_due"], wanted).fetchall()
        return [Erasure(job_id, sweeps, last=last) for job_id, sweeps, last in rows]

    def mark_swept(self, erasure: Erasure, objects: int, pause: timedelta) -> None:
        """See `Erasures.mark_swept`."""
        swept = {"job_id": erasure.job_id, "objects": objects, "pause": pause, "last": erasure.last}
        with self._connection.lent("mark an erasure") as connection:
            connection.execute(_STATEMENTS["mark_swept"], swept)

    def close(self) -> None:
        """Let go of the connection; the next call makes another."""
        self._connection.close()
