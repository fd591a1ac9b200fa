"""The ledger's connections to PostgreSQL: one for a while, or one that is kept. Called by the adapters beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import conninfo

from pipeline.errors import Fatal, Transient
from pipeline.postgres import in_one_line, is_refusal, missing_parameters
from services.ledger.adapters.postgres.errors import translated

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
Cursor: TypeAlias = psycopg.Cursor[tuple[Any, ...]]

#: Nothing we do takes long; what does is cancelled and tried again. Results must not depend on the server's settings.
SESSION: Final = {
    "statement_timeout": "60s",
    "lock_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
    "TimeZone": "UTC",
    "search_path": "pg_catalog",
}


def connect(url: str) -> Connection:
    """A connection in autocommit mode (transactions are explicit), named `razgovor-ledger`.

    Raises:
        Transient: No connection, with libpq's words: they name hosts and roles, never rows or passwords.
        Fatal: The server does not let us in: the role, its password or the database is wrong.
        psycopg.Error: The address is none, or the connection broke at once.
    """
    parameters = missing_parameters(conninfo.conninfo_to_dict(url), "razgovor-ledger")
    try:
        connection = psycopg.connect(url, autocommit=True, **parameters)
    except psycopg.OperationalError as error:
        raise (Fatal if is_refusal(error) else Transient)(in_one_line(error)) from error
    try:
        for name, value in SESSION.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    except BaseException:
        connection.close()
        raise
    return connection


class KeptConnection:
    """A connection that is made on first use and kept; used by one thread at a time.

    When something goes wrong on it it is thrown away, and the next use makes another: what is left of it is not worth
    knowing.

    Args:
        url: The database, as the role that owns the schema `ledger`.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None

    @contextmanager
    def lent(self, doing: str) -> Iterator[Connection]:
        """The connection; psycopg's errors become ours (`errors.translated`)."""
        try:
            with translated(doing):
                if self._connection is None:
                    self._connection = connect(self._url)
                yield self._connection
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
