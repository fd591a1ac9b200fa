"""Puts ingest's parts together: the ports of its HTTP layer, the intake of call events, the deliverer. Called by `__main__`."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from pipeline import service
from pipeline.audio import Outline, OutlineRequest, Probe, outliner, sniff
from pipeline.blobs.ports import BlobStore
from pipeline.isolation import ChildPool
from pipeline.isolation import Limits as ChildLimits
from pipeline.outbound import Outbound
from pipeline.service import StatusFile
from pipeline.stream.kafka import KafkaConsumer
from pipeline.stream.ports import Producer
from pipeline.stream.runner import Limits
from pipeline.stream.wire import Wire
from pipeline.telemetry.metrics import Metrics
from services.ingest.acceptance import Acceptance
from services.ingest.adapters.postgres import (
    Database,
    PostgresCalls,
    PostgresClients,
    PostgresDeliveries,
    PostgresJobs,
    PostgresRates,
    PostgresRuns,
    PostgresSessions,
    PostgresStops,
    PostgresSubmissions,
    PostgresUsage,
    PostgresWebhookBook,
)
from services.ingest.adapters.report_child import ReportChild
from services.ingest.adapters.sources import sources_at
from services.ingest.announcer import Announcer
from services.ingest.calls.intake import GROUP, Intake
from services.ingest.calls.taking import Taking
from services.ingest.fetching import Fetching
from services.ingest.metered import MeteredSubmissions, counting_crashes
from services.ingest.rates import RateLimiter
from services.ingest.readiness import RecentCheck
from services.ingest.recent_keys import RecentKeys
from services.ingest.sessions import TOKEN_BYTES
from services.ingest.settings import CostSettings, IngestSettings
from services.ingest.stopper import Stopper
from services.ingest.waveforms import Waveforms
from services.ingest.web.ports import UploadLimits, WebPorts
from services.ingest.webhooks.deliverer import Deliverer

_CHECK_HOLDS_S: Final = 5.0
_KEY_HOLDS_S: Final = 1.0


@contextmanager
def outlining(settings: IngestSettings) -> Iterator[Callable[[OutlineRequest], Outline]]:
    """What draws a waveform, for as long as the context lasts. Its child starts when somebody first looks at a call."""
    limits = ChildLimits(
        memory_bytes=settings.probe_memory_bytes, cpu_s=int(settings.outline_timeout_s) + 1, open_files=64
    )
    with closing(
        ChildPool[OutlineRequest, Outline](1, outliner, name="ingest-outline", limits=limits, start_timeout_s=60.0)
    ) as pool:
        yield lambda request: pool.call(request, timeout_s=settings.outline_timeout_s)


@contextmanager
def report_child(settings: IngestSettings) -> Iterator[ReportChild]:
    """What makes reports, for as long as the context lasts."""
    child = ReportChild(
        settings.database_url.get_secret_value(),
        settings.store_url,
        settings.store_options,
        memory_bytes=settings.report_memory_bytes,
        timeout_s=settings.report_timeout_s,
    )
    try:
        yield child
    finally:
        child.close()


def _fetching(settings: IngestSettings) -> Fetching:
    url, outbound = settings.source_url, Outbound(settings.outbound_allowed, ca_file=settings.outbound_ca_file)
    return Fetching(
        None if url is None else sources_at(url, settings.source_options, store_url=settings.store_url),
        outbound if settings.url_uploads else None,
        max_bytes=settings.max_audio_bytes,
        total_s=settings.fetch_timeout_s,
    )


def web_ports(
    settings: IngestSettings,
    store: BlobStore,
    database: Database,
    probe: Callable[[Path], Probe],
    outline: Callable[[OutlineRequest], Outline],
    *,
    announcer: Announcer,
    stopper: Stopper,
    reports: ReportChild,
    deliverer: Deliverer,
    new_id: Callable[[], str],
    metrics: Metrics,
) -> WebPorts:
    """What the HTTP layer needs of this process."""
    submissions = MeteredSubmissions(PostgresSubmissions(database), metrics)
    return WebPorts(
        store=store,
        keys=RecentKeys(PostgresClients(database), _KEY_HOLDS_S, time.monotonic),
        sessions=PostgresSessions(database),
        jobs=PostgresJobs(database),
        acceptance=Acceptance(store, submissions, counting_crashes(probe, metrics), announcer.wake),
        stops=PostgresStops(database),
        runs=PostgresRuns(database),
        waveforms=Waveforms(store, outline),
        fetching=_fetching(settings),
        on_stopped=stopper.wake,
        on_requeued=announcer.wake,
        reports=reports,
        usage=PostgresUsage(database),
        webhooks=PostgresWebhookBook(database),
        on_webhook=deliverer.wake,
        prices=service.load(CostSettings).prices,
        rates=RateLimiter(PostgresRates(database), time.monotonic),
        sniff=sniff,
        new_id=new_id,
        new_token=partial(secrets.token_bytes, TOKEN_BYTES),
        languages=settings.languages,
        limits=UploadLimits(
            max_audio_bytes=settings.max_audio_bytes,
            idle_s=settings.upload_idle_s,
            total_s=settings.upload_timeout_s,
            min_bytes_per_s=settings.upload_min_bytes_per_s,
            max_batch_files=settings.max_batch_files,
            max_batch_bytes=settings.max_batch_bytes,
        ),
        checks={
            "database": RecentCheck(submissions.verify, _CHECK_HOLDS_S, time.monotonic),
            "store": RecentCheck(store.verify, _CHECK_HOLDS_S, time.monotonic),
        },
        stream_healthy=lambda: announcer.healthy,
        metrics=metrics,
    )


def made_deliverer(
    settings: IngestSettings, database: Database, clock: Callable[[], datetime], metrics: Metrics
) -> Deliverer:
    """What sends webhooks, by these settings."""
    outbound = Outbound(settings.outbound_allowed, ca_file=settings.outbound_ca_file)
    return Deliverer(
        PostgresDeliveries(database),
        outbound,
        clock,
        random.random,
        metrics,
        poll_s=settings.webhook_poll_s,
    )


@dataclass(frozen=True, slots=True)
class Tools:
    """What the threads of this process share."""

    store: BlobStore
    database: Database
    probe: Callable[[Path], Probe]
    producer: Producer
    wire: Wire


def made_intake(
    settings: IngestSettings,
    tools: Tools,
    status: StatusFile,
    wake: Callable[[], None],
    clock: Callable[[], datetime],
) -> Intake:
    """What takes the calls of upstream systems. `wake`: there is something to announce."""
    metrics, store, database = status.metrics, tools.store, tools.database
    calls = PostgresCalls(database)
    acceptance = Acceptance(
        store, MeteredSubmissions(calls, metrics), counting_crashes(tools.probe, metrics), wake, keeps=True
    )
    taking = Taking(
        store,
        sources_at(settings.source_url or "", settings.source_options, store_url=settings.store_url),
        acceptance,
        sniff=sniff,
        max_audio_bytes=settings.max_audio_bytes,
        languages=settings.languages,
    )
    return Intake(
        lambda: KafkaConsumer(settings.kafka, group=GROUP, metrics=metrics),
        calls=calls,
        clients=PostgresClients(database),
        taking=taking,
        store=store,
        producer=tools.producer,
        wire=tools.wire,
        languages=settings.languages,
        limits=Limits(max_in_flight=settings.calls_in_flight, drain_timeout_s=settings.drain_timeout_s),
        clock=clock,
        tell=lambda state: status.keep(calls=state),
        metrics=metrics,
    )
