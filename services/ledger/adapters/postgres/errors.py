"""PostgreSQL's errors end here. Only their class and SQLSTATE go on: a message can hold what a row says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from pipeline.errors import Fatal, Transient


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn psycopg's errors into ours.

    Args:
        doing: What was being done, for the message.

    Raises:
        Transient: OperationalError: the server is away, starting, full or out of room, or it gave up on us (deadlock
            40P01, serialisation 40001, cancelled statement).
        Fatal: Anything else: the server understood us and refuses. The ledger stops rather than put aside.
    """
    try:
        yield
    except psycopg.OperationalError as error:
        raise Transient(_said(doing, error)) from error
    except psycopg.Error as error:
        raise Fatal(_said(doing, error)) from error


def _said(doing: str, error: psycopg.Error) -> str:
    return f"{doing}: {type(error).__name__} {error.sqlstate or 'without SQLSTATE'}"
