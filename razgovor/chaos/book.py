"""What the rig has sent and what it was promised: the other side of the account that the judge holds against the record."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from razgovor.chaos.poison import Poison


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A call to be submitted, once, however often it is sent.

    Attributes:
        number: Of the call in the run; its `call_id` and its idempotency key follow from it.
        client: Whose it is.
        data: The recording.
        poison: What it is marked with.
        priority: As ingest takes it.
        by_event: An upstream system says so on `call.recorded`; else a client uploads it.
    """

    number: int
    client: str
    data: bytes
    poison: Poison | None = None
    priority: str = "normal"
    by_event: bool = False

    @property
    def call_id(self) -> str:
        """The client's own id of the call."""
        return f"call-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A 202, or an event that the broker has: the job will not be lost.

    Attributes:
        accepted_at_s: When that was known, by the clock of the machine.
    """

    order: Order
    job_id: str
    accepted_at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An order that got no promise: a final answer that was none, or nothing better for too long.

    Attributes:
        why: The last answer's status and code.
    """

    order: Order
    why: str


class Book:
    """All promises and refusals of a run, in the order in which they were given. From any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._promises: list[Promise] = []
        self._refusals: list[Refusal] = []

    def enter(self, promise: Promise) -> None:
        """Write down that a call was taken."""
        with self._lock:
            self._promises.append(promise)

    def refuse(self, refusal: Refusal) -> None:
        """Write down an order that no promise was got for, however often it was sent."""
        with self._lock:
            self._refusals.append(refusal)

    def since(self, start: int = 0) -> list[Promise]:
        """The promises from the `start`-th on."""
        with self._lock:
            return self._promises[start:]

    def refused_since(self, start: int = 0) -> list[Refusal]:
        """The refusals from the `start`-th on."""
        with self._lock:
            return self._refusals[start:]

    def __len__(self) -> int:
        with self._lock:
            return len(self._promises)
