"""Which jobs there are, by the ledger's own record and ingest's view; see `ports.KnownJobs`. Called by the janitor.

An acceptance writes its submission, then looks whether its job is fenced, then commits. So one that has a smaller number
than the fence may not have seen it, and is waited for; one with a greater number sees it and gives up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final

from pipeline.errors import Transient
from pipeline.sql import queries
from services.ledger.adapters.postgres.connecting import Connection
from services.ledger.adapters.postgres.errors import translated
from services.ledger.adapters.postgres.turns import taken_turn

_STATEMENTS: Final = queries("services.ledger.adapters.postgres", "orphans.sql")
_ENDING_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.05


class PostgresKnownJobs:
    """See `ports.KnownJobs`. A connection for each turn.

    Args:
        url: The database, as the role that owns the schema `ledger`.
        pause: Waits for so many seconds.
    """

    def __init__(self, url: str, pause: Callable[[float], object]) -> None:
        self._url = url
        self._pause = pause

    @contextmanager
    def turn(self) -> Iterator[_Turn | None]:
        """See `KnownJobs.turn`."""
        with taken_turn(self._url, "janitor", "sweep") as connection:
            yield None if connection is None else _Turn(connection, self._pause)


class _Turn:
    def __init__(self, connection: Connection, pause: Callable[[float], object]) -> None:
        self._connection = connection
        self._pause = pause

    def known(self, job_ids: Collection[str]) -> set[str]:
        with translated("know jobs"):
            return {job_id for (job_id,) in self._connection.execute(_STATEMENTS["known_jobs"], _ids(job_ids))}

    def fence(self, job_ids: Collection[str]) -> None:
        with translated("fence jobs"):
            self._connection.execute(_STATEMENTS["fence"], _ids(job_ids))
            row = self._connection.execute(_STATEMENTS["last_begun"]).fetchone()
            begun = {"xid": row[0] if row is not None else None}
            for _ in range(round(_ENDING_S / _LOOK_EVERY_S)):
                if self._connection.execute(_STATEMENTS["have_ended"], begun).fetchone() == (True,):
                    return
                self._pause(_LOOK_EVERY_S)
        raise Transient("fence jobs: a transaction does not end")


def _ids(job_ids: Collection[str]) -> dict[str, list[str]]:
    return {"job_ids": list(job_ids)}
