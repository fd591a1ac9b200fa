"""A submission: one accepted recording, with everything resolved. Values only.

`handler` makes them; a repository keeps them; `jobs` shows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.contracts.call_info import CallInfo
from pipeline.contracts.events import AudioUploaded


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAudio:
    """A recording that lies in the store, and what its header claims.

    Attributes:
        media_type: As sniffed from its bytes.
        declared_duration_ms, sample_rate_hz, channels: None: the probe could not tell.
    """

    key: str
    sha256: str
    size_bytes: int
    media_type: str
    declared_duration_ms: int | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What becomes one row, one outbox row and one event.

    Attributes:
        call_info: What names people: for call.json and ingest's own table, never for an event.
        languages: To choose among by ear; empty: `language` is fixed.
    """

    job_id: str
    run: int
    client_id: str
    call_id: str
    priority: str
    audio: StoredAudio
    call_info: CallInfo
    call_info_key: str
    channel_roles: tuple[str, ...]
    language: str
    languages: tuple[str, ...] = ()
    glossary_id: str | None = None
    locale: str
    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's key and the fingerprint of the request it came with."""

    key: str
    request_sha256: bytes


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted job. `repeated`: an earlier request with the same idempotency key made it."""

    job_id: str
    accepted_at: datetime
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Announcement:
    """A row of the outbox.

    Attributes:
        outbox_id: Its place in the order of acceptance.
    """

    outbox_id: int
    event: AudioUploaded
