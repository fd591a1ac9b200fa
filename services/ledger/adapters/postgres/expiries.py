"""What is kept how long, and what is gone; see `ports.Retention`. Called by the expirer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from pipeline.sql import queries
from services.ledger.adapters.postgres.connecting import Connection
from services.ledger.adapters.postgres.errors import translated
from services.ledger.adapters.postgres.turns import taken_turn
from services.ledger.ports import Expiry, Rule

_STATEMENTS: Final = queries("services.ledger.adapters.postgres", "expiries.sql")


class PostgresRetention:
    """See `ports.Retention`. A connection for each turn.

    Args:
        url: The database, as the role that owns the schema `ledger`.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def turn(self) -> Iterator[_Turn | None]:
        """See `Retention.turn`."""
        with taken_turn(self._url, "expirer", "expire") as connection:
            yield None if connection is None else _Turn(connection)


class _Turn:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rules(self) -> list[Rule]:
        with translated("read retentions"):
            rows = self._connection.execute(_STATEMENTS["fetch_rules"]).fetchall()
        return [Rule(client_id, what, timedelta(days=days)) for client_id, what, days in rows]

    def due(self, rule: Rule, limit: int) -> Iterator[list[str]]:
        last: tuple[str | None, object] = (None, None)
        while True:
            wanted = {
                "client_id": rule.client_id,
                "what": rule.what,
                "kept": rule.kept,
                "job_id": last[0],
                "accepted_at": last[1],
                "limit": limit,
            }
            with translated("find what is due"):
                rows = self._connection.execute(_STATEMENTS["find_due"], wanted).fetchall()
            if not rows:
                return
            last = (rows[-1][0], rows[-1][1])
            yield [job_id for job_id, _ in rows]

    def begin(self, job_ids: Sequence[str], what: str) -> None:
        with translated("begin to expire"):
            self._connection.execute(_STATEMENTS["begin"], {"job_ids": list(job_ids), "what": what})

    def begun(self, limit: int) -> list[Expiry]:
        with translated("find what is begun"):
            rows = self._connection.execute(_STATEMENTS["fetch_open"], {"limit": limit}).fetchall()
        return [Expiry(job_id, what) for job_id, what in rows]

    def finish(self, expiry: Expiry, objects: int) -> None:
        with translated("finish to expire"):
            finished = {"job_id": expiry.job_id, "what": expiry.what, "objects": objects}
            self._connection.execute(_STATEMENTS["finish"], finished)
