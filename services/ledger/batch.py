"""One batch of records through the ledger: decode, decide, apply; then put aside what can't be decoded.

Called by the batch runner, which commits offsets when `process` has returned, and calls it again with the same records
after Transient. What can be decoded is never put aside: the ledger waits, or it stops.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.contracts.events import Event
from pipeline.errors import Fatal, Permanent, RazgovorError, Transient
from pipeline.outcome import Outcome
from pipeline.stream.ports import Message
from pipeline.stream.retries import ATTEMPTS
from pipeline.stream.under_way import UnderWay
from pipeline.telemetry import logs
from services.ledger import dead_letters, handler
from services.ledger.effects import Effect
from services.ledger.ports import DlqSink, Ledger

_log: Final = logs.get(__name__)


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
        self._put_aside: UnderWay[bool] = UnderWay()
        self._failures = 0

    def process(self, messages: Sequence[Message]) -> Processed:
        """Take a batch, all of it or, when it raises, an unknown part of it; repeating it is safe.

        Raises:
            Transient: PostgreSQL or the broker does not answer now.
            Fatal: PostgreSQL refuses what we say.
        """
        try:
            processed = self._process(messages)
        except RazgovorError:
            raise
        except Exception as error:
            raise self._unknown(error) from error
        self._failures = 0
        return processed

    def _process(self, messages: Sequence[Message]) -> Processed:
        self._dlq.check()
        outcomes: list[Outcome[Effect]] = []
        undecodable: dict[int, Permanent] = {}
        for index, message in enumerate(messages):
            try:
                outcomes.append(self._outcome(message))
            except Permanent as error:
                undecodable[index] = error
        new = self._ledger.apply(outcomes)
        for index, message in enumerate(messages):  # in the order of arrival: the fuse counts it
            self._settle(message, undecodable.get(index))
        for message in messages:
            self._put_aside.forget(message)
        return Processed(new=new, put_aside=len(undecodable))

    def _settle(self, message: Message, why: Permanent | None) -> None:
        if why is None:
            self._dlq.passed()
        elif not self._put_aside.get(message):  # else it lies there since the batch was tried before
            self._dlq.put_aside(message, why)
            self._put_aside.keep(message, value=True)

    def _unknown(self, error: Exception) -> RazgovorError:
        """A bug of ours: three attempts, then we stop. Its frames are told, never its text: it can hold what a row says."""
        self._failures += 1
        kind = type(error).__name__
        _log.error("unknown_error", attempt=self._failures, kind=kind, frames=traceback.format_tb(error.__traceback__))
        if self._failures < ATTEMPTS:
            return Transient(f"the batch failed with {kind}")
        return Fatal(f"the batch failed {ATTEMPTS} times with {kind}")

    def _outcome(self, message: Message) -> Outcome[Effect]:
        if dead_letters.is_dead_letter(message):
            return dead_letters.keep(message)
        event = self._decode(message)
        arrival = handler.Arrival(message.topic, message.partition, message.offset, message.timestamp)
        return handler.handle(arrival, event, bill_reprocess=self._bill_reprocess)
