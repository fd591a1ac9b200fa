"""The ledger's port on PostgreSQL. Constructed by `__main__`; `batch` calls `apply` from the runner's worker thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pipeline.outcome import Outcome
from services.ledger.adapters.postgres import migrator, record
from services.ledger.adapters.postgres.connecting import KeptConnection
from services.ledger.effects import Effect

EVENTS_PER_TRANSACTION: Final = 500


class PostgresLedger:
    """Keeps the record in the schema `ledger`. One connection, used by one thread at a time.

    Args:
        url: The database, as the role that owns the schema.
        batch_max_events: At most so many events a transaction.
        committed: Told of what was new in each transaction, once it is committed. What was lost with the connection in
            COMMIT, and is there, is told to nobody.
    """

    def __init__(
        self,
        url: str,
        *,
        batch_max_events: int = EVENTS_PER_TRANSACTION,
        committed: Callable[[Sequence[Outcome[Effect]]], None] = lambda _new: None,
    ) -> None:
        self._committed = committed
        self._batch_max_events = batch_max_events
        self._connection = KeptConnection(url)

    def migrate(self) -> None:
        """Bring the schema to this release; does nothing when it is there.

        Raises:
            Transient: PostgreSQL does not answer now.
            Fatal: It refuses, or a released migration changed.
        """
        with self._connection.lent("migrate") as connection:
            migrator.migrate(connection)

    def apply(self, outcomes: Sequence[Outcome[Effect]]) -> int:
        """Apply the outcomes of a batch: sorted by job, at most `batch_max_events` a transaction.

        An event whose id is known contributes nothing, so the whole batch may be applied again.

        Returns:
            How many events were new.

        Raises:
            Transient: PostgreSQL does not answer now; some transactions may be committed.
            Fatal: It refuses what we say.
        """
        ordered = sorted(outcomes, key=record.sort_key)
        count = 0
        for first in range(0, len(ordered), self._batch_max_events):
            with self._connection.lent("apply") as connection:
                new = record.write(connection, ordered[first : first + self._batch_max_events])
            self._committed(new)
            count += len(new)
        return count

    def close(self) -> None:
        """Let go of the connection; the next call makes another."""
        self._connection.close()
