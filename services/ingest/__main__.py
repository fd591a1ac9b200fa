"""`python -m services.ingest`: constructs ingest and runs it until it is told to stop."""

from __future__ import annotations

import gc
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Final

from pipeline import service
from pipeline.blobs.location import store_at
from pipeline.blobs.metered import MeteredStore
from pipeline.service import StatusFile
from pipeline.stream.kafka import KafkaLogReader, KafkaProducer
from pipeline.stream.metered import MeteredProducer
from pipeline.stream.registry import wire_at
from pipeline.telemetry.metrics import Metrics
from services.ingest.adapters.postgres import (
    Database,
    PostgresBacklog,
    PostgresOutbox,
    PostgresStops,
    migrate,
)
from services.ingest.announcer import Announcer
from services.ingest.backlog import BacklogGauge
from services.ingest.composition import Tools, made_deliverer, made_intake, outlining, report_child, web_ports
from services.ingest.pace import Pace
from services.ingest.probing import probing
from services.ingest.settings import IngestSettings
from services.ingest.stopper import Stopper
from services.ingest.watching.configuration import Configuration, configuration
from services.ingest.watching.running import database_for, made_watchers
from services.ingest.watching.watch import Door
from services.ingest.web.app import create_app
from services.ingest.web.ports import WebPorts
from services.ingest.web.server import address_of, listen, web_server
from services.ingest.workers import Worker

_BEAT_S: Final = 1.0


def _new_id() -> str:
    return str(uuid.uuid4())


def _now() -> datetime:
    return datetime.now(UTC)


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
    deliverer = made_deliverer(settings, database, _now, metrics)
    if settings.metrics_port is not None:
        _measure_backlog(database, metrics, stop)
    gc.freeze()  # what is loaded by now stays: no collection need look at it again
    with (
        probing(settings) as probe,
        outlining(settings) as outline,
        report_child(settings) as reports,
        _watching_database(settings, configured) as watching_database,
        listen(settings.host, settings.port) as listener,
    ):
        ports = web_ports(
            settings,
            store,
            database,
            probe,
            outline,
            announcer=announcer,
            stopper=stopper,
            reports=reports,
            deliverer=deliverer,
            new_id=_new_id,
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
            tools = Tools(store, database, probe, producer, wire)
            works["calls"] = partial(made_intake(settings, tools, status, announcer.wake, _now).run, stop)
        works |= _watching(configured, ports, watching_database, stop)
        workers = [Worker(name, work, stop) for name, work in works.items()]
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
