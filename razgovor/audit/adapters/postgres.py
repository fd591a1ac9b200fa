"""The record and the outbox out of PostgreSQL: one snapshot, read-only, row by row. The auditor's only door to psycopg."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, TypeAlias, TypeVar

import psycopg
from psycopg import conninfo
from psycopg.rows import dict_row

from pipeline.errors import Fatal, Transient
from pipeline.postgres import missing_parameters
from pipeline.sql import queries
from razgovor.audit.facts import (
    ArtefactRow,
    JobRow,
    RefusedCall,
    ResultRow,
    RunRow,
    Seen,
    Submission,
    UsageLeg,
)
from razgovor.audit.scratch import Letter

Connection: TypeAlias = psycopg.Connection[dict[str, Any]]
RowT = TypeVar("RowT")

_STATEMENTS: Final = queries("razgovor.audit.adapters")
#: Rows fetched at once by each of the cursors that are open side by side.
_ROWS: Final = 2000


class PostgresDatabase:
    """See `sources.Database`.

    Args:
        url: As a role that may read what the services grant to `razgovor_auditor`.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        """See `Database.snapshot`."""
        with _translated():
            parameters = missing_parameters(conninfo.conninfo_to_dict(self._url), "razgovor-audit")
            with psycopg.Connection[dict[str, Any]].connect(
                self._url, row_factory=dict_row, **parameters
            ) as connection:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
                for statement in ("as_utc", "without_limits"):
                    connection.execute(_STATEMENTS[statement])
                yield PostgresSnapshot(connection)
                connection.rollback()


class PostgresSnapshot:
    """See `sources.Snapshot`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._now: datetime = self._one("now")["now"]

    @property
    def now(self) -> datetime:
        """See `Snapshot.now`."""
        return self._now

    def count_jobs(self) -> int:
        """See `Snapshot.count_jobs`."""
        return int(self._one("count_jobs")["count"])

    def submissions(self) -> Iterator[Submission]:
        """Every submission."""
        return self._rows("submissions", Submission)

    def refused(self) -> Iterator[RefusedCall]:
        """Every call that was refused."""
        return self._rows("refused", RefusedCall)

    def jobs(self) -> Iterator[JobRow]:
        """Every job of the ledger."""
        return self._rows("jobs", JobRow)

    def runs(self) -> Iterator[RunRow]:
        """Every run of the ledger."""
        return self._rows("runs", RunRow)

    def results(self) -> Iterator[ResultRow]:
        """Every result."""
        return self._rows("results", ResultRow)

    def artefacts(self) -> Iterator[ArtefactRow]:
        """Every artefact."""
        return self._rows("artefacts", ArtefactRow)

    def usage(self) -> Iterator[UsageLeg]:
        """Every leg of every entry."""
        return self._rows("usage", UsageLeg)

    def seen(self) -> Iterator[Seen]:
        """Every event that was counted."""
        return self._rows("seen", Seen)

    def letters(self) -> Iterator[Letter]:
        """Every dead letter, in no order."""
        return self._rows("letters", Letter)

    def _one(self, name: str) -> dict[str, Any]:
        row = self._connection.execute(_STATEMENTS[name]).fetchone()
        if row is None:
            raise Fatal(f"{name}: no row")
        return row

    def _rows(self, name: str, row_class: Callable[..., RowT]) -> Iterator[RowT]:
        with _translated(), self._connection.cursor(f"audit_{name}") as cursor:
            cursor.itersize = _ROWS
            cursor.execute(_STATEMENTS[name])
            for row in cursor:
                yield row_class(**row)


@contextmanager
def _translated() -> Iterator[None]:
    """Their errors as ours: class and SQLSTATE alone, a message can hold what a row says."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise Transient(f"database: {type(error).__name__} {error.sqlstate or 'without SQLSTATE'}") from error
    except psycopg.Error as error:
        raise Fatal(f"database: {type(error).__name__} {error.sqlstate or 'without SQLSTATE'}") from error
