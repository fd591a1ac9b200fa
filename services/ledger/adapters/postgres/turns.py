"""Turns: what one ledger of all replicas does at a time. Called by `orphans` and `expiries`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from pipeline.errors import Transient
from services.ledger.adapters.postgres.connecting import Connection, connect
from services.ledger.adapters.postgres.errors import translated

_TAKE: Final = "SELECT pg_try_advisory_lock(hashtext(%(turn)s))"
_GIVE_BACK: Final = "SELECT pg_advisory_unlock(hashtext(%(turn)s))"


@contextmanager
def taken_turn(url: str, whose: str, doing: str) -> Iterator[Connection | None]:
    """The only turn over all replicas, with a connection of its own: the lock ends with it, however it ends.

    Args:
        url: The database, as the role that owns the schema `ledger`.
        whose: `janitor`, `expirer`.
        doing: What is being done, for messages.

    Yields:
        None: another has the turn.

    Raises:
        Transient: The database does not answer.
        Fatal: It refuses.
    """
    turn = {"turn": f"razgovor.ledger.{whose}"}
    with translated(doing):
        connection = connect(url)
    with connection:
        with translated(doing):
            taken = connection.execute(_TAKE, turn).fetchone()
        if taken != (True,):
            yield None
            return
        yield connection
        with suppress(Transient), translated(doing):  # the server notices a closed connection a moment later
            connection.execute(_GIVE_BACK, turn)
