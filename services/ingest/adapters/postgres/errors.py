"""PostgreSQL's errors end here. Only their class and SQLSTATE go on: a message can hold what a row says.

What libpq says when it does not get in is passed on whole: it names hosts, roles and databases, never rows or passwords.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg.errors import InsufficientPrivilege, InvalidSchemaName, UndefinedTable

from pipeline.errors import Fatal, Permanent, Transient
from pipeline.postgres import in_one_line, is_refusal

RETRY_AFTER_S: Final = 5.0


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn psycopg's errors into ours.

    Args:
        doing: What was being done, for the message.

    Raises:
        Transient: The server is away, starting, full, or gave up on us; the pool has no connection; the ledger's views
            are not there yet (it makes and grants them when it first starts).
        Permanent: The server understood us and refuses.
        Fatal: It does not let us in: the role, its password or the database is wrong.
    """
    try:
        yield
    except psycopg.OperationalError as error:
        if error.pgconn is not None and is_refusal(error):
            raise Fatal(said(doing, error)) from error
        raise Transient(said(doing, error), retry_after_s=RETRY_AFTER_S) from error
    except (psycopg.InterfaceError, UndefinedTable, InvalidSchemaName, InsufficientPrivilege) as error:
        raise Transient(said(doing, error), retry_after_s=RETRY_AFTER_S) from error
    except psycopg.Error as error:
        raise Permanent(said(doing, error)) from error


def said(doing: str, error: psycopg.Error) -> str:
    """What may be said of an error."""
    if error.pgconn is not None:  # it did not get in
        return f"{doing}: {in_one_line(error)}"
    return f"{doing}: {type(error).__name__} {error.sqlstate or 'without SQLSTATE'}"
