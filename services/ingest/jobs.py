"""A job as its client sees it: ingest's own submission, and what the ledger's views know of it. Values only."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from pipeline.contracts import states
from pipeline.contracts.call_info import chain_of

_MICROSECONDS: Final = 1_000_000
_SEPARATOR: Final = "/"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """Where an object of a job lies."""

    key: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the ledger knows. Before it has seen the job everything is as the defaults say.

    Attributes:
        audio_expired_at, transcript_expired_at: Since when the recording, and the transcript, are kept no longer.
    """

    run: int
    state: str = states.QUEUED
    reason: str | None = None
    details: dict[str, str] = field(default_factory=dict)
    channel_mode: str | None = None
    channels: int | None = None
    duration_ms: int | None = None
    speech_ms: int | None = None
    words: int | None = None
    turns: int | None = None
    confidence: float | None = None
    partial: bool | None = None
    warnings: tuple[str, ...] = ()
    model: str | None = None
    model_sha256: str | None = None
    engine: str | None = None
    transcribing_at: datetime | None = None
    finished_at: datetime | None = None
    queue_wait_ms: int | None = None
    decode_ms: int | None = None
    vad_ms: int | None = None
    engine_ms: int | None = None
    total_ms: int | None = None
    audio_expired_at: datetime | None = None
    transcript_expired_at: datetime | None = None
    transcript: StoredObject | None = None
    artefacts: dict[str, StoredObject] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What became of an order to erase a job.

    Attributes:
        erased_at: When nothing of it was left in the store; None: not yet.
        objects: How many objects were deleted so far.
    """

    requested_at: datetime
    erased_at: datetime | None = None
    objects: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job: what was submitted and what became of it.

    Attributes:
        other_parts: Whether other jobs of its client belong to the same chain: parts of one transferred call.
    """

    job_id: str
    client_id: str
    call_id: str
    accepted_at: datetime
    priority: str
    language: str
    locale: str
    formats: tuple[str, ...]
    channel_roles: tuple[str, ...]
    audio: StoredObject
    media_type: str
    declared_duration_ms: int | None = None
    file_name: str | None = None
    started_at: datetime | None = None
    direction: str | None = None
    operator: str | None = None
    customer_number: str | None = None
    queue: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    other_parts: bool = False
    outcome: Outcome
    erasure: Erasure | None = None

    @property
    def chain_id(self) -> str | None:
        """What the parts of a transferred call have in common; None: nothing was said."""
        return chain_of(self.metadata)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last job of a page: the next page starts behind it, newest first."""

    accepted_at: datetime
    job_id: str

    def encode(self) -> str:
        """As an opaque text for URLs."""
        micros = (self.accepted_at - _EPOCH) // timedelta(microseconds=1)  # a float of seconds would round
        return base64.urlsafe_b64encode(f"{micros}{_SEPARATOR}{self.job_id}".encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Read what `encode` wrote.

        Raises:
            ValueError: It is none of ours.
        """
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
            micros, _, job_id = raw.partition(_SEPARATOR)
            seconds, rest = divmod(int(micros), _MICROSECONDS)
            return cls(datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest), job_id.replace("\0", ""))
        except (binascii.Error, UnicodeError, OverflowError, OSError) as error:
            raise ValueError("not a cursor") from error
