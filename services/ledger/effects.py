"""What an event means for the ledger, as values. `handler` makes them, `adapters.postgres` merges them.

Every text here can be stored (see `storable`); times are aware; money comes in with PostgreSQL's price list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeAlias

from pipeline.contracts.events import Artefact, ObjectRef, Timings
from pipeline.stream.ports import Headers

#: The kind of usage posted when a call was transcribed. A dedup key: never change it.
TRANSCRIPTION: Final = "transcription"
#: The kind that takes such an entry back: a reprocess that is not billed. A dedup key too.
TRANSCRIPTION_WAIVED: Final = "transcription_waived"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEvent:
    """This event was here. The other effects of an event count only if its id was not known before.

    Attributes:
        state: What the event claims of its job, raw; None for an event of a kind unknown to this release.
        counted: False where the claim is unknown to this release, so that it made no other effect.
        recorded_at: The record's own timestamp.
    """

    event_id: str
    job_id: str
    run: int
    state: str | None
    counted: bool
    topic: str
    partition: int
    offset: int
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRun:
    """A claim about a run, and what only the event that makes this claim knows.

    Attributes:
        rank: Strength of the claim; the strongest one stands, its reason and details with it.
        claimed_at: When it was claimed, by the record's timestamp.
        priority: Of the submission, as is `requested_language`.
        announced_sha256: Of the transcript that `transcript.ready` announced, as is `turns`.
    """

    job_id: str
    run: int
    client_id: str
    call_id: str
    accepted_at: datetime
    state: str
    rank: int
    claimed_at: datetime
    reason: str | None = None
    details: Mapping[str, str] | None = None
    priority: str | None = None
    requested_language: str | None = None
    announced_sha256: str | None = None
    turns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepResult:
    """The whole result of a run, taken from its one `completed`: transcript, artefacts and timings together."""

    job_id: str
    run: int
    language: str
    channel_mode: str
    channels: int
    duration_ms: int
    speech_ms: int
    words: int
    confidence: float | None
    partial: bool
    warnings: tuple[str, ...]
    engine: str
    model: str
    model_sha256: str
    transcript: ObjectRef
    artefacts: tuple[Artefact, ...]
    timings: Timings


@dataclass(frozen=True, slots=True, kw_only=True)
class PostUsage:
    """Bill a run once: two legs that sum to zero, in milliseconds and in money.

    Attributes:
        period: The first day of the month, in UTC, in which the call was accepted.
    """

    job_id: str
    run: int
    kind: str
    client_id: str
    accepted_at: datetime
    period: date
    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiveReprocess:
    """Of all completed runs of the job only the lowest is billed: take back what was posted for the others."""

    job_id: str
    kind: str
    waived_kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderErasure:
    """Everything of the job in the store is to go."""

    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepDlqRecord:
    """A record that somebody put aside, byte for byte, with what its headers say of its origin."""

    topic: str
    partition: int
    offset: int
    recorded_at: datetime
    key: bytes | None
    value: bytes | None
    value_sha256: str
    headers: Headers
    reason: str | None
    group: str | None
    event_id: str | None
    origin_topic: str | None
    origin_partition: int | None
    origin_offset: int | None


Effect: TypeAlias = RecordEvent | MergeRun | KeepResult | PostUsage | WaiveReprocess | OrderErasure | KeepDlqRecord
