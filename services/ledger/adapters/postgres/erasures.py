"""Erasures that were ordered, in the ledger's own table; see `ports.Erasures`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from pipeline.sql import queries
from services.ledger.adapters.postgres.connecting import Connection, connect
from services.ledger.adapters.postgres.errors import translated
from services.ledger.ports import Erasure

_STATEMENTS: Final = queries("services.ledger.adapters.postgres", "erasures.sql")


class PostgresErasures:
    """See `ports.Erasures`. One connection, used by one thread.

    Args:
        url: The database, as the role that owns the schema `ledger`.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None

    def claim(self, watched: timedelta, lease: timedelta, limit: int) -> list[Erasure]:
        """See `Erasures.claim`."""
        wanted = {"watched": watched, "lease": lease, "limit": limit}
        with self._connected("claim erasures") as connection:
            rows = connection.execute(_STATEMENTS["claim_due"], wanted).fetchall()
        return [Erasure(job_id, sweeps, last=last) for job_id, sweeps, last in rows]

    def mark_swept(self, erasure: Erasure, objects: int, pause: timedelta) -> None:
        """See `Erasures.mark_swept`."""
        swept = {"job_id": erasure.job_id, "objects": objects, "pause": pause, "last": erasure.last}
        with self._connected("mark an erasure") as connection:
            connection.execute(_STATEMENTS["mark_swept"], swept)

    def close(self) -> None:
        """Let go of the connection; the next call makes another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _connected(self, doing: str) -> Iterator[Connection]:
        try:
            with translated(doing):
                if self._connection is None:
                    self._connection = connect(self._url)
                yield self._connection
        except BaseException:
            self.close()
            raise
