"""One batch of records through the ledger: decode, decide, apply; then put aside what can't be decoded.

Called by the batch runner, which commits offsets when `process` has returned, and calls it again with the same records
after Transient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.contracts.events import Event
from pipeline.errors import Permanent
from pipeline.outcome import Outcome
from pipeline.stream.ports import Message
from services.ledger import dead_letters, handler
from services.ledger.effects import Effect
from services.ledger.ports import DlqSink, Ledger


@dataclass(frozen=True, slots=True)
class Processed:
    """What became of a batch: events counted for the first time, and records put aside. The rest was known."""

    new: int
    put_aside: int


class BatchProcessor:
    """Takes batches of records into the ledger.

    Args:
        decode: From a record to its event; raises Permanent on what is none.
        ledger: Keeps the record.
        dlq: Takes what can't be decoded.
        bill_reprocess: Whether a run after the first is billed.
    """

    def __init__(
        self, decode: Callable[[Message], Event], ledger: Ledger, dlq: DlqSink, *, bill_reprocess: bool
    ) -> None:
        self._decode = decode
        self._ledger = ledger
        self._dlq = dlq
        self._bill_reprocess = bill_reprocess

    def process(self, messages: Sequence[Message]) -> Processed:
        """Take a batch, all of it or, when it raises, an unknown part of it; repeating it is safe.

        Raises:
            Transient: PostgreSQL or the broker does not answer now.
            Fatal: PostgreSQL refuses what we say.
        """
        outcomes: list[Outcome[Effect]] = []
        undecodable: list[tuple[Message, Permanent]] = []
        for message in messages:
            try:
                outcomes.append(self._outcome(message))
            except Permanent as error:
                undecodable.append((message, error))
        new = self._ledger.apply(outcomes)
        for message, why in undecodable:
            self._dlq.put_aside(message, why)
        return Processed(new=new, put_aside=len(undecodable))

    def _outcome(self, message: Message) -> Outcome[Effect]:
        if dead_letters.is_dead_letter(message):
            return dead_letters.keep(message)
        event = self._decode(message)
        arrival = handler.Arrival(message.topic, message.partition, message.offset, message.timestamp)
        return handler.handle(arrival, event, bill_reprocess=self._bill_reprocess)
