"""An ingest of fakes: the HTTP layer over an in-memory store, clients, submissions and a probe that tests decide."""

from __future__ import annotations

import hashlib
import itertools
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.audio import Outline, OutlineRequest, Probe, sniff
from pipeline.blobs.memory import MemoryStore
from services.ingest.acceptance import Acceptance
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.adapters.memory_clients import MemoryClients
from services.ingest.adapters.memory_rates import MemoryRates
from services.ingest.adapters.memory_reports import MemoryReports
from services.ingest.adapters.memory_runs import MemoryRuns
from services.ingest.adapters.memory_sessions import MemorySessions
from services.ingest.adapters.memory_stops import MemoryStops
from services.ingest.adapters.memory_usage import MemoryUsage
from services.ingest.adapters.memory_webhooks import MemoryWebhooks
from services.ingest.admin import add_key
from services.ingest.clients import Client
from services.ingest.rates import RateLimiter
from services.ingest.recent_keys import RecentKeys
from services.ingest.scopes import SCOPES
from services.ingest.waveforms import Waveforms
from services.ingest.web.app import create_app
from services.ingest.web.context import RequestContext
from services.ingest.web.ports import UploadLimits, WebPorts

KNOWN = Probe(media_type="audio/wav", declared_duration_ms=1000, sample_rate_hz=8000, channels=2)
_IDS = itertools.count(1)
_SHARED: list[RequestContext] = []


def wav(data: bytes = b"\x00\x00" * 16_000) -> bytes:
    """A stereo 16-bit 8 kHz WAV: one second of silence unless told otherwise."""
    header = struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, 1, 2, 8000, 32_000, 4, 16, b"data", len(data))
    return b"RIFF" + struct.pack("<I", 4 + len(header) + len(data)) + b"WAVE" + header + data


def known(_path: Path) -> Probe:
    return KNOWN


def drawn(_request: OutlineRequest) -> Outline:
    return Outline(1.0, ((10_000, 0), (0, 5_000)))


def new_id() -> str:
    return str(uuid.UUID(int=next(_IDS)))


@dataclass
class Rig:
    """Everything around one application; `ports` may be replaced before `app` is made."""

    store: MemoryStore = field(default_factory=MemoryStore)
    clients: MemoryClients = field(default_factory=MemoryClients)
    submissions: MemorySubmissions = field(default_factory=MemorySubmissions)
    usage: MemoryUsage = field(default_factory=MemoryUsage)
    probe: Callable[[Path], Probe] = known
    draw: Callable[[OutlineRequest], Outline] = drawn
    limits: UploadLimits = field(default_factory=lambda: UploadLimits(max_audio_bytes=1_000_000))
    options: dict[str, Any] = field(default_factory=dict)
    wakes: int = 0
    now_s: float = 0.0

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self.webhooks = MemoryWebhooks(self.submissions, self.clients, self.clock)
        self.rates = MemoryRates(lambda: round(self.now_s * 1_000_000))
        self.sessions = MemorySessions(self.clients, self.clock)
        self.key = self.add_client(Client(client_id="acme", name="Acme"))

    def add_client(self, client: Client, scopes: tuple[str, ...] = SCOPES) -> str:
        number = next(self._numbers)
        return add_key(self.clients, client, bytes([number] * 6), bytes([number] * 32), scopes)

    def _woken(self) -> None:
        self.wakes += 1

    def clock(self) -> datetime:
        """PostgreSQL's."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.now_s)

    def ports(self) -> WebPorts:
        """What the application reaches."""
        ports = WebPorts(
            store=self.store,
            keys=RecentKeys(self.clients, 0.0, lambda: 0.0),
            sessions=self.sessions,
            jobs=self.submissions,
            acceptance=Acceptance(self.store, self.submissions, self.probe, self._woken),
            stops=MemoryStops(self.submissions, self.clock),
            runs=MemoryRuns(self.submissions),
            reports=MemoryReports(self.submissions, self.store),
            usage=self.usage,
            waveforms=Waveforms(self.store, self.draw),
            webhooks=self.webhooks,
            stream_poll_s=0.0,
            rates=RateLimiter(self.rates, lambda: self.now_s),
            sniff=sniff,
            new_id=new_id,
            new_token=lambda: hashlib.sha256(str(next(_IDS)).encode()).digest(),
            limits=self.limits,
        )
        return replace(ports, **self.options)

    def app(self) -> ASGIApp:
        """The application with this rig's ports; the routes, which take long to build, are built once for all rigs."""
        mine = self.ports()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            shared = _SHARED[0] if _SHARED else create_app(mine)
            _SHARED[:] = [shared]
            shared.app.state.ports = mine
            await shared(scope, receive, send)

        return app

    def http(self, key: str | None = "") -> TestClient:
        """A client that sends the key of `acme`, another one, or (None) none at all."""
        headers = {} if key is None else {"Authorization": f"Bearer {key or self.key}"}
        return TestClient(self.app(), headers=headers, raise_server_exceptions=False, follow_redirects=False)

    def only_job(self) -> str:
        (job_id,) = self.submissions.submissions
        return job_id
