"""A watcher of fakes: a source, a list of what was seen, and the door that every upload comes in by."""

from __future__ import annotations

import itertools
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.audio import Probe, sniff
from pipeline.blobs.memory import MemoryStore
from pipeline.telemetry.metrics import Metrics
from services.ingest.acceptance import Acceptance
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.adapters.memory_clients import MemoryClients
from services.ingest.adapters.memory_rates import MemoryRates
from services.ingest.adapters.memory_seen import MemorySeenFiles
from services.ingest.adapters.memory_source import MemorySource
from services.ingest.clients import Client
from services.ingest.rates import RateLimiter
from services.ingest.submissions import Submission
from services.ingest.watching.journals import Journals
from services.ingest.watching.ports import LookFacts, Owner
from services.ingest.watching.taking import Taker
from services.ingest.watching.watch import Door, Watch
from services.ingest.watching.watcher import Watcher
from tests.unit.ingest.rig import KNOWN, wav

ACME = Client(client_id="acme", name="Acme", channel_map={"inbound": ("operator", "customer")})
OWNER = Owner(watcher="pbx", client_id="acme")
NOW = datetime(2026, 1, 31, 15, tzinfo=UTC)
WRITTEN_NS = int(NOW.timestamp() - 60) * 1_000_000_000
_IDS = itertools.count(1)


def known(_path: Path) -> Probe:
    return KNOWN


def new_id() -> str:
    return str(uuid.UUID(int=next(_IDS)))


@dataclass
class World:
    """`watch` and `client` may be replaced before the first look; `restarted` forgets what a process remembers."""

    watch: Watch = field(default_factory=lambda: Watch(owner=OWNER))
    client: Client = ACME
    journal: str | None = None
    source: MemorySource = field(default_factory=MemorySource)
    here: MemorySource = field(default_factory=MemorySource)
    store: MemoryStore = field(default_factory=MemoryStore)
    submissions: MemorySubmissions = field(default_factory=MemorySubmissions)
    clients: MemoryClients = field(default_factory=MemoryClients)
    metrics: Metrics = field(default_factory=Metrics)
    max_audio_bytes: int = 1_000_000
    now: datetime = NOW
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.clients.create(self.client)
        self.seen = MemorySeenFiles(lambda: self.now)
        self.rates = MemoryRates(lambda: round(self.now.timestamp() * 1_000_000))
        self.watcher = self.made()

    def made(self) -> Watcher:
        door = Door(
            store=self.store,
            acceptance=Acceptance(self.store, self.submissions, known, lambda: None),
            rates=RateLimiter(self.rates, self._now_s),
            sniff=sniff,
            new_id=new_id,
            max_audio_bytes=self.max_audio_bytes,
        )
        journals = None if self.journal is None else Journals(self.journal, self.here)
        taker = Taker(self.watch, door, self.seen, journals, self.metrics)
        return Watcher(
            self.watch, self.source, taker, self.seen, self.clients, now=lambda: self.now, metrics=self.metrics
        )

    def _now_s(self) -> float:
        return self.now.timestamp()

    def put(self, path: str, data: bytes | None = None, modified_ns: int = WRITTEN_NS) -> None:
        self.source.put(path, wav() if data is None else data, modified_ns)

    def look(self, times: int = 1) -> LookFacts:
        facts = LookFacts()
        for _ in range(times):
            facts = self.watcher.look(self.stop)
        return facts

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def jobs(self) -> list[Submission]:
        return [submission for submission, _ in self.submissions.submissions.values()]

    def reasons(self) -> dict[str | None, str]:
        return {one.path: one.reason for one in self.seen.refused(None, 100)}
