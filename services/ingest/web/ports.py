"""What the HTTP layer is given by `__main__`, or by a test."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, BinaryIO, Protocol, cast

from fastapi import Depends, Request

from pipeline.audio import Sniffed
from pipeline.blobs.ports import BlobStore
from pipeline.telemetry.metrics import Metrics
from services.ingest.acceptance import Acceptance
from services.ingest.fetching import Fetching
from services.ingest.ports import Jobs
from services.ingest.rates import RateLimiter
from services.ingest.recent_keys import RecentKeys
from services.ingest.report_questions import ReportQuestion
from services.ingest.runs import Runs
from services.ingest.sessions import Sessions
from services.ingest.stops import Stops
from services.ingest.upload import Upload
from services.ingest.usage import Prices, UsageRecord
from services.ingest.waveforms import Waveforms
from services.ingest.web.fetches import Fetches
from services.ingest.web.open_streams import OpenStreams
from services.ingest.webhooks.deliveries import WebhookBook


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    """What is taken of an upload.

    Attributes:
        max_audio_bytes: The recording's bytes.
        idle_s: How long it may rest.
        total_s: How long it may take.
        max_batch_files: Recordings in one request.
        max_batch_bytes: Bytes of all of them together.
        min_bytes_per_s: How fast it has to come on the whole, after the first `idle_s`; 0: as slowly as it likes.
    """

    max_audio_bytes: int = 2**30
    idle_s: float = 30.0
    total_s: float = 3600.0
    min_bytes_per_s: int = 1000
    max_batch_files: int = 100
    max_batch_bytes: int = 2**32

    def patience_s(self, received: int) -> float:
        """How long a client may have been waited for in all, once so many bytes have come."""
        return self.idle_s + received / self.min_bytes_per_s if self.min_bytes_per_s else math.inf


class Reports(Protocol):
    """Makes workbooks over many calls."""

    def make(self, question: ReportQuestion) -> BinaryIO | None:
        """A finished workbook to read from its beginning, gone once it is closed; None while another one is made.

        Raises:
            TooManyCalls: The period holds more than a report may.
            Transient: A peer does not answer, or it took too long.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPorts:
    """Everything the endpoints reach.

    Attributes:
        stops, runs: Call jobs off, have them done again.
        webhooks: What clients were told of ends of jobs.
        on_stopped, on_requeued, on_webhook: Told after every job that was called off or is done again, and of messages to
            be sent: wake whoever acts on it.
        streams: Counts those who follow jobs.
        stream_poll_s: How often a followed job is looked at.
        fetching: Fetches recordings that are named; `fetches` bounds how many at once.
        rates: Counts the requests of clients that have a limit.
        reports: Makes workbooks over many calls.
        usage, prices: What was used, and what an hour of it costs.
        sniff: Tells what a file is by its first bytes.
        new_id: A random id: of a job, of a request.
        new_token: `sessions.TOKEN_BYTES` random bytes: of a session, of a page.
        checks: Peers that readiness asks, by name; each raises Transient while its peer does not answer.
        stream_healthy: Whether announcing works; shown by readiness, but uploads do not depend on it.
        metrics: Counts requests.
    """

    store: BlobStore
    keys: RecentKeys
    sessions: Sessions
    jobs: Jobs
    acceptance: Acceptance
    rates: RateLimiter
    stops: Stops
    runs: Runs
    reports: Reports
    usage: UsageRecord
    waveforms: Waveforms
    webhooks: WebhookBook
    sniff: Callable[[bytes], Sniffed]
    new_id: Callable[[], str]
    new_token: Callable[[], bytes]
    prices: Prices = field(default_factory=Prices)
    on_stopped: Callable[[], None] = lambda: None
    on_requeued: Callable[[], None] = lambda: None
    on_webhook: Callable[[], None] = lambda: None
    streams: OpenStreams = field(default_factory=OpenStreams)
    stream_poll_s: float = 1.0
    fetching: Fetching = field(default_factory=Fetching)
    fetches: Fetches = field(default_factory=Fetches)
    languages: frozenset[str] = frozenset({"ru"})
    limits: UploadLimits = field(default_factory=UploadLimits)
    checks: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    stream_healthy: Callable[[], bool] = lambda: True
    metrics: Metrics = field(default_factory=Metrics)

    def new_upload(self) -> Upload:
        """An upload that has not begun, of a job that there is not yet."""
        return Upload(self.store, self.new_id(), self.sniff, self.limits.max_audio_bytes)


async def _ports_of(request: Request) -> WebPorts:  # async: else FastAPI would ask a thread for it
    return cast("WebPorts", request.app.state.ports)


Ports = Annotated[WebPorts, Depends(_ports_of)]
