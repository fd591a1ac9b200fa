"""Dead letters as an operator sees them: what the ledger keeps of a DLQ, and what became of it. Values, and the port.

`admin` gives them to the product's command line; `adapters.postgres.letters` keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pipeline.stream.dead_letters import DLQ_SUFFIX, OMITTED_HEADER
from pipeline.stream.ports import Headers, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One record of a DLQ.

    Attributes:
        letter_id: Its short name in this ledger.
        topic, partition, offset: Where it lies in the DLQ.
        recorded_at: When it was put aside.
        value: The original's bytes; None where it had none, or where they were too large to put aside.
        reason, group, event_id: As its headers say, None where they do not.
        origin_topic, origin_partition, origin_offset: Where the original lay.
        replayed_as: `run 2`, or the place of its bytes.
    """

    letter_id: int
    topic: str
    partition: int
    offset: int
    recorded_at: datetime
    key: bytes | None
    value: bytes | None = field(repr=False)
    headers: Headers = field(repr=False)
    reason: str | None
    group: str | None
    event_id: str | None
    origin_topic: str | None
    origin_partition: int | None
    origin_offset: int | None
    replayed_at: datetime | None = None
    replayed_as: str | None = None
    dropped_at: datetime | None = None

    @property
    def home_topic(self) -> str:
        """The topic that it belongs to."""
        return self.origin_topic or self.topic.removesuffix(DLQ_SUFFIX)

    @property
    def stage(self) -> str:
        """What was being done: `decode` or `handle`; empty where its headers do not say."""
        return self.header("__connect.errors.stage").lower()

    @property
    def is_open(self) -> bool:
        """Whether nobody has done anything about it."""
        return self.replayed_at is None and self.dropped_at is None

    @property
    def is_whole(self) -> bool:
        """Whether its bytes are here."""
        return self.value is not None and not self.header(OMITTED_HEADER)

    @property
    def key_text(self) -> str:
        """Its key, which is the job's id unless a stranger wrote it."""
        return (self.key or b"").decode(errors="replace")

    def header(self, name: str) -> str:
        """The last value of a header as text, empty where it is absent."""
        return dict(self.headers).get(name, b"").decode(errors="replace")

    def message(self) -> Message:
        """The record as it lay in its own topic, as far as is known."""
        return Message(
            topic=self.home_topic,
            partition=self.origin_partition or 0,
            offset=self.origin_offset or 0,
            key=self.key,
            value=self.value,
            headers=self.headers,
            timestamp=self.recorded_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which letters are meant. Everything that is said must hold; what is None says nothing.

    Attributes:
        letter_ids: These.
        topic: The topic they belong to, or the DLQ they lie in.
        job_id: Their key.
        since: Put aside then or later.
        also_done: Also those that were replayed or dropped.
    """

    letter_ids: Sequence[int] | None = None
    reason: str | None = None
    topic: str | None = None
    group: str | None = None
    job_id: str | None = None
    since: datetime | None = None
    also_done: bool = False


class DeadLetterBox(Protocol):
    """Where letters are kept. Every method may raise Transient (the database does not answer) and Fatal (it refuses)."""

    def find(self, selection: Selection, limit: int) -> list[Letter]:
        """Letters, oldest first. A record that a group was turned back to, and put aside again, is the letter it was."""

    def count(self, selection: Selection) -> int:
        """How many there are."""

    def mark_replayed(self, letter_id: int, replayed_as: str) -> None:
        """Keep that it was replayed."""

    def mark_dropped(self, letter_ids: Sequence[int]) -> int:
        """Keep that nobody wants these any more; how many of them were open. Nothing is deleted."""
