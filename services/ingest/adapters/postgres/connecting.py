"""Ingest's connections to PostgreSQL: a pool that is filled on first use and checks what it lends."""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import conninfo, sql
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

from pipeline.postgres import missing_parameters
from services.ingest.adapters.postgres.errors import translated
from services.ingest.adapters.postgres.statements import STATEMENTS

Connection: TypeAlias = psycopg.Connection[DictRow]

#: Whose rows a transaction sees: migration 0008_row_security. A client's id can be neither of these.
_NOBODY: Final = ""
_EVERYBODY: Final = "*"
_BEGIN: Final = sql.SQL("BEGIN; SET LOCAL razgovor.client_id = {}")

#: Results must not depend on the server's settings; nothing we do takes long.
_SESSION: Final = {
    "statement_timeout": "30s",
    "lock_timeout": "20s",
    "idle_in_transaction_session_timeout": "300s",
    "TimeZone": "UTC",
    "search_path": "pg_catalog",
    "razgovor.client_id": _NOBODY,
    # And have the server notice when we vanish: the relay's turn is free again then.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_CLOSE_TIMEOUT_S: Final = 0.5


def _configure(connection: Connection) -> None:
    for name, value in _SESSION.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))


def _check(connection: Connection) -> None:
    """Find out whether a connection that rested was cut meanwhile; asking the server each time would cost a round trip.

    A server says nothing to a connection at rest but that it ends.
    """
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    if poll.poll(0):
        ConnectionPool.check_connection(connection)


class Database:
    """Connections, lent for a transaction each.

    Args:
        url: `postgresql://role:password@host/database`.
        max_connections: Kept at most.
        timeout_s: How long a borrower waits for a free one.
    """

    def __init__(self, url: str, *, max_connections: int = 10, timeout_s: float = 5.0) -> None:
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            connection_class=psycopg.Connection[DictRow],
            kwargs={
                "row_factory": dict_row,
                "autocommit": True,  # transactions are begun by `_transaction`
                **missing_parameters(conninfo.conninfo_to_dict(url), "razgovor-ingest"),
            },
            min_size=1,
            max_size=max_connections,
            timeout=timeout_s,
            max_waiting=max_connections * 20,
            # Its pauses double up to this. After it the next borrower has it try at once, so it is never away for long.
            reconnect_timeout=4.0,
            configure=_configure,
            check=_check,
            name="ingest",
            open=False,
        )

    def open(self) -> None:
        """Start to connect, in the background."""
        self._pool.open()

    def transaction_of(self, client_id: str, doing: str) -> AbstractContextManager[Connection]:
        """A connection with a transaction that serves one client: rows of others are not there, whatever is asked for.

        It commits when the block ends well.

        Raises:
            Transient: No connection, or it broke.
            Permanent: The server refuses.
        """
        return self._transaction(client_id, doing)

    def transaction_for_all(self, doing: str) -> AbstractContextManager[Connection]:
        """The same for the work that is nobody's own: announcing, sweeping, what an operator asks for. It sees all clients."""
        return self._transaction(_EVERYBODY, doing)

    def transaction_for(self, client_id: str | None, doing: str) -> AbstractContextManager[Connection]:
        """The one of these that serves whoever asks: a client, or by None an operator."""
        return self.transaction_for_all(doing) if client_id is None else self.transaction_of(client_id, doing)

    @contextmanager
    def statement(self, doing: str) -> Iterator[Connection]:
        """A connection for a single statement, which is a transaction of its own and costs one round trip.

        It sees no client's rows: only tables that row-level security does not cover.

        Raises:
            Transient: No connection, or it broke.
            Permanent: The server refuses.
        """
        with translated(doing), self._pool.connection() as connection:
            yield connection

    @contextmanager
    def _transaction(self, whose: str, doing: str) -> Iterator[Connection]:
        with translated(doing), self._pool.connection() as connection:
            connection.execute(_BEGIN.format(sql.Literal(whose)))  # one round trip, as BEGIN alone would be
            yield connection

    def verify(self) -> None:
        """Ask for an answer; raises Transient when there is none."""
        with self.statement("verify") as connection:
            connection.execute(STATEMENTS["verify"])

    def close(self) -> None:
        """Let all connections go; what is just being connected is not waited for."""
        self._pool.close(timeout=_CLOSE_TIMEOUT_S)


def one_row(row: dict[str, Any] | None) -> dict[str, Any]:
    """The row of a statement that always has one."""
    if row is None:
        raise psycopg.InternalError("a statement gave no row")
    return row
