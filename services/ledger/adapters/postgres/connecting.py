"""The ledger's one connection to PostgreSQL: made on first use, made again after it broke. Called by `ledger`."""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import conninfo

from pipeline.errors import Fatal, Transient

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
Cursor: TypeAlias = psycopg.Cursor[tuple[Any, ...]]

CONNECT_TIMEOUT_S: Final = 5
#: Notice a server that vanished without a word, also in the middle of a statement.
KEEPALIVES: Final = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
#: libpq gives no code for these, only the server's words; in another language than English they are waited for, loudly.
REFUSED: Final = re.compile(
    r"password authentication failed|no pg_hba\.conf entry|no password supplied"
    r'|(role|user|database) "[^"]*" (does not exist|is not permitted to log in)'
)
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
    defaults = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "razgovor-ledger", **KEEPALIVES}
    said = conninfo.conninfo_to_dict(url)
    missing: dict[str, Any] = {name: value for name, value in defaults.items() if name not in said}
    try:
        connection = psycopg.connect(url, autocommit=True, **missing)
    except psycopg.OperationalError as error:
        said_why = " ".join(str(error).split())
        raise (Fatal if REFUSED.search(said_why) else Transient)(said_why) from error
    try:
        for name, value in SESSION.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    except BaseException:
        connection.close()
        raise
    return connection
