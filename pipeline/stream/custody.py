"""Who is told what becomes of work that is not finished here. The runner tells; the transcriber's start markers listen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pipeline.stream.ports import Message


class Custody(Protocol):
    """Looks after records in work while they change hands."""

    def disowned(self, messages: Sequence[Message]) -> None:
        """The partitions of these went to another owner; the work goes on. On the polling thread: no I/O."""

    def draining(self) -> None:
        """Nothing new begins; what has begun may go on for a while. On the polling thread: no I/O."""

    def left(self, messages: Sequence[Message]) -> None:
        """These are not finished here, and nobody works on them any more, or will not for long. May do I/O."""


class Carefree:
    """Nobody needs to know: whoever takes the record next just does it."""

    def disowned(self, messages: Sequence[Message]) -> None:
        """See `Custody.disowned`."""

    def draining(self) -> None:
        """See `Custody.draining`."""

    def left(self, messages: Sequence[Message]) -> None:
        """See `Custody.left`."""
