"""`python -m services.ingest`: constructs ingest and runs it until it is told to stop."""

from __future__ import annotations

import gc
import random
import secrets
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from pipeline import service
from pipeline.audio import Outline, OutlineRequest, Probe, outliner, sniff
from pipeline.blobs.location import store_at
from pipeline.blobs.metered import MeteredStore
from pipeline.blobs.ports import BlobStore
from pipeline.errors import Fatal, RazgovorError
from pipeline.isolation import ChildPool
from pipeline.isolation import Limits as ChildLimits
from pipeline.outbound import Outbound
from pipeline.service import StatusFile
from pipeline.stream.kafka import KafkaConsumer, KafkaLogReader, KafkaProducer
from pipeline.stream.metered import MeteredProducer
from pipeline.stream.ports import Producer
from pipeline.stream.registry import wire_at
from pipeline.stream.runner import Limits
from pipeline.stream.wire import Wire
from pipeline.telemetry.metrics import Metrics
from services.ingest.acceptance import Acceptance
from services.ingest.adapters.postgres import (
    Database,
    PostgresBacklog,
    PostgresCalls,
    PostgresClients,
    PostgresDeliveries,
    PostgresJobs,
    PostgresOutbox,
    PostgresRates,
    PostgresRuns,
    PostgresSessions,
    PostgresStops,
    PostgresSubmissions,
    PostgresUsage,
    PostgresWebhookBook,
    migrate,
)
from services.ingest.adapters.report_child import ReportChild
from services.ingest.adapters.sources import sources_at
from services.ingest.announcer import Announcer
from services.ingest.backlog import BacklogGauge
from services.ingest.calls.intake import GROUP, Intake
from services.ingest.calls.taking import Taking
from services.ingest.fetching import Fetching
from services.ingest.metered import MeteredSubmissions, counting_crashes
from services.ingest.pace import Pace
from services.ingest.probing import probing
from services.ingest.rates import RateLimiter
from services.ingest.readiness import RecentCheck
from services.ingest.recent_keys import RecentKeys
from services.ingest.sessions import TOKEN_BYTES
from services.ingest.settings import CostSettings, IngestSettings
from services.ingest.stopper import Stopper
from services.ingest.watching.configuration import Configuration, configuration
from services.ingest.watching.running import database_for, made_watchers
from services.ingest.watching.watch import Door
from services.ingest.waveforms import Waveforms
from services.ingest.web.app import create_app
from services.ingest.web.ports import UploadLimits, WebPorts
from services.ingest.web.server import address_of, listen, web_server
from services.ingest.webhooks.deliverer import Deliverer

_BEAT_S: Final = 1.0
_CHECK_HOLDS_S: Final = 5.0
_KEY_HOLDS_S: Final = 1.0


def _new_id() -> str:
    return str(uuid.uuid4())


class _Worker:
    """A thread whose failure ends the process."""

    def __init__(self, name: str, work: Callable[[], None], stop: threading.Event) -> None:
        self.error: Exception | None = None
        self._work = work
        self._stop = stop
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # told to the main thread, which ends the process with it
            self.error = error
        finally:
            self._stop.set()

    def tell(self) -> None:
        """Raise what it failed with, if it failed."""
        if isinstance(self.error, RazgovorError):  # it says by itself what it is
            raise self.error
        if self.error is not None:
            raise Fatal(f"{self.thread.name} failed: {type(self.error).__name__}") from self.error


@contextmanager
def _outliner(settings: IngestSettings) -> Iterator[Callable[[OutlineRequest], Outline]]:
    """Its child starts when somebody first looks at a call."""
    limits = ChildLimits(
        memory_bytes=settings.probe_memory_bytes, cpu_s=int(settings.outline_timeout_s) + 1, open_files=64
    )
    with closing(
        ChildPool[OutlineRequest, Outline](1, outliner, name="ingest-outline", limits=limits, start_timeout_s=60.0)
    ) as pool:
        yield lambda request: pool.call(request, timeout_s=settings.outline_timeout_s)


def _web_ports(
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
    metrics: Metrics,
) -> WebPorts:
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
        new_id=_new_id,
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


@contextmanager
def _reports(settings: IngestSettings) -> Iterator[ReportChild]:
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


def _deliverer(settings: IngestSettings, database: Database, metrics: Metrics) -> Deliverer:
    outbound = Outbound(settings.outbound_allowed, ca_file=settings.outbound_ca_file)
    return Deliverer(
        PostgresDeliveries(database),
        outbound,
        lambda: datetime.now(UTC),
        random.random,
        metrics,
        poll_s=settings.webhook_poll_s,
    )


@dataclass(frozen=True, slots=True)
class _Tools:
    """What the threads of this process share."""

    store: BlobStore
    database: Database
    probe: Callable[[Path], Probe]
    producer: Producer
    wire: Wire


def _intake(settings: IngestSettings, tools: _Tools, status: StatusFile, wake: Callable[[], None]) -> Intake:
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
        clock=lambda: datetime.now(UTC),
        tell=lambda state: status.keep(calls=state),
        metrics=metrics,
    )


def _fetching(settings: IngestSettings) -> Fetching:
    url, outbound = settings.source_url, Outbound(settings.outbound_allowed, ca_file=settings.outbound_ca_file)
    return Fetching(
        None if url is None else sources_at(url, settings.source_options, store_url=settings.store_url),
        outbound if settings.url_uploads else None,
        max_bytes=settings.max_audio_bytes,
        total_s=settings.fetch_timeout_s,
    )


def _pace(settings: IngestSettings) -> Pace:
    return Pace(
        max_announced=settings.announced_max,
        poll_s=settings.relay_poll_s,
        review_every_s=settings.relay_review_s,
        reannounce_after_s=settings.reannounce_after_s,
    )


def serve(settings: IngestSettings, stop: threading.Event, status: StatusFile) -> None:
    """Construct, wait for the peers that uploads need, run, drain. Kafka may come later: uploads do not wait for it."""
    url = settings.database_url.get_secret_value()
    configured = Configuration() if settings.watch_file is None else configuration(settings.watch_file)
    metrics = status.metrics
    store = MeteredStore(store_at(settings.store_url, settings.store_options), metrics)
    waits = ((store.verify, "store"), (lambda: _migrate(url), "database"))
    if not all(service.wait_for(verify, stop, status, peer) for verify, peer in waits):
        return
    database = Database(url, max_connections=settings.database_connections, timeout_s=settings.database_timeout_s)
    database.open()
    producer, log_reader = MeteredProducer(KafkaProducer(settings.kafka), metrics), KafkaLogReader(settings.kafka)
    wire = wire_at(settings.registry)
    announcer = Announcer(
        PostgresOutbox(database), producer, log_reader, _pace(settings), time.monotonic, wire=wire, metrics=metrics
    )
    stopper = Stopper(PostgresStops(database), store, producer, wire=wire, metrics=metrics)
    deliverer = _deliverer(settings, database, metrics)
    if settings.metrics_port is not None:
        _measure_backlog(database, metrics, stop)
    gc.freeze()  # what is loaded by now stays: no collection need look at it again
    with (
        probing(settings) as probe,
        _outliner(settings) as outline,
        _reports(settings) as reports,
        _watching_database(settings, configured) as watching_database,
        listen(settings.host, settings.port) as listener,
    ):
        ports = _web_ports(
            settings,
            store,
            database,
            probe,
            outline,
            announcer=announcer,
            stopper=stopper,
            reports=reports,
            deliverer=deliverer,
            metrics=metrics,
        )
        server = web_server(create_app(ports), _new_id, settings.drain_timeout_s)
        works: dict[str, Callable[[], None]] = {
            "web": lambda: server.run([listener]),
            "relay": lambda: announcer.run(stop),
            "stopper": lambda: stopper.run(stop),
            "webhooks": lambda: deliverer.run(stop),
        }
        if settings.call_events:
            tools = _Tools(store, database, probe, producer, wire)
            works["calls"] = partial(_intake(settings, tools, status, announcer.wake).run, stop)
        works |= _watching(configured, ports, watching_database, stop)
        workers = [_Worker(name, work, stop) for name, work in works.items()]
        for worker in workers:
            worker.thread.start()
        status.write("ready", address=address_of(listener))
        while not stop.wait(_BEAT_S):
            status.beat()
        status.write("draining")
        server.should_exit = True
        announcer.wake()
        stopper.wake()
        deliverer.wake()
        deadline_s = time.monotonic() + settings.drain_timeout_s + 1.0
        for worker in workers:
            worker.thread.join(max(0.0, deadline_s - time.monotonic()))
    # One that lives waits for a broker, and ends with the process.
    if not any(worker.thread.is_alive() for worker in workers if worker.thread.name != "web"):
        producer.close()
        log_reader.close()
    database.close()
    for worker in workers:
        worker.tell()


@contextmanager
def _watching_database(settings: IngestSettings, configured: Configuration) -> Iterator[Database]:
    """Of the watchers alone, so that they take no connection from an upload."""
    url = settings.database_url.get_secret_value()
    database = database_for(url, len(configured.watchers), settings.database_timeout_s)
    if configured.watchers:
        database.open()
    try:
        yield database
    finally:
        database.close()


def _watching(
    configured: Configuration, ports: WebPorts, database: Database, stop: threading.Event
) -> dict[str, Callable[[], None]]:
    """What watches each source, by the name of its thread."""
    door = Door(
        store=ports.store,
        acceptance=ports.acceptance,
        rates=ports.rates,
        sniff=ports.sniff,
        new_id=ports.new_id,
        max_audio_bytes=ports.limits.max_audio_bytes,
        languages=frozenset(ports.languages),
    )
    watchers = made_watchers(configured, door, database, ports.metrics)
    return {f"watch-{watcher.name}": partial(watcher.run, stop) for watcher in watchers}


def _measure_backlog(database: Database, metrics: Metrics, stop: threading.Event) -> None:
    gauge = BacklogGauge(PostgresBacklog(database), metrics)
    threading.Thread(target=gauge.run, args=(stop,), name="backlog", daemon=True).start()


def _migrate(url: str) -> None:
    migrate(url)


def main() -> int:
    """Run with the settings of the environment; the exit status."""
    settings = service.load(IngestSettings)
    return service.run("ingest", settings, partial(serve, settings))


if __name__ == "__main__":
    sys.exit(main())
