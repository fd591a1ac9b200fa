"""A watcher made ready: its settings as the values that looking and taking need. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from pipeline.audio import Sniffed
from pipeline.blobs.ports import BlobStore
from services.ingest.acceptance import Acceptance
from services.ingest.rates import RateLimiter
from services.ingest.watching.decisions import Rules
from services.ingest.watching.patterns import Patterns
from services.ingest.watching.ports import Owner
from services.ingest.watching.walking import Survey


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a watcher does.

    Attributes:
        owner: Its name, for ever, and whose recordings it fetches.
        patterns: By which paths are read; None: they say nothing.
        take_unmatched: Whether names of another pattern are taken, with nothing known of their calls.
        zone: Of the PBX's clock.
        layout, days: Which folders are looked into; see `date_folders`.
        poll_s: Between two looks.
        journal_wait_s: How long a call waits for its row; None: there is no journal.
        priority: Of the jobs.
    """

    owner: Owner
    patterns: Patterns | None = None
    take_unmatched: bool = False
    zone: ZoneInfo | None = None
    layout: str = ""
    days: int = 3
    poll_s: float = 30.0
    journal_wait_s: float | None = None
    priority: str = "normal"
    rules: Rules = field(default_factory=Rules)
    survey: Survey = field(default_factory=Survey)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The door that every upload comes in by.

    Attributes:
        store, sniff, max_audio_bytes: See `upload.Upload`.
        new_id: A random id.
        languages: That this installation transcribes.
    """

    store: BlobStore
    acceptance: Acceptance
    rates: RateLimiter
    sniff: Callable[[bytes], Sniffed]
    new_id: Callable[[], str]
    max_audio_bytes: int
    languages: frozenset[str] = frozenset({"ru"})
