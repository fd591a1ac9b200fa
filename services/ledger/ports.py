"""What the ledger's batch needs of the world. `adapters.postgres` keeps the record; the runner's DLQ takes the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pipeline.errors import Permanent
from pipeline.outcome import Outcome
from pipeline.stream.ports import Message
from services.ledger.effects import Effect


class Ledger(Protocol):
    """Keeps the record."""

    def apply(self, outcomes: Sequence[Outcome[Effect]]) -> int:
        """Apply the outcomes of a batch, durably; safe to repeat as a whole.

        Returns:
            How many events were new.

        Raises:
            Transient: PostgreSQL does not answer now; some transactions of the batch may be committed.
            Fatal: PostgreSQL refuses what we say.
        """


class DlqSink(Protocol):
    """Puts aside what can't be decoded."""

    def put_aside(self, message: Message, error: Permanent) -> None:
        """Publish the record to its topic's DLQ, and return when the broker has it.

        Raises:
            Transient: Not acknowledged; say it again.
        """
