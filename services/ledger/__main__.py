"""`python -m services.ledger`: constructs the ledger and runs it until it is told to stop."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from pipeline import service
from pipeline.blobs.location import store_at
from pipeline.blobs.metered import MeteredStore
from pipeline.blobs.ports import BlobStore
from pipeline.contracts.events import BY_TOPIC, OF_JOBS
from pipeline.contracts.topics import rare_group
from pipeline.errors import Permanent
from pipeline.service import StatusFile
from pipeline.stream.dead_letters import DLQ_SUFFIX
from pipeline.stream.kafka import EvenConsumer, KafkaProducer
from pipeline.stream.metered import MeteredProducer
from pipeline.stream.ports import Message
from pipeline.stream.registry import wire_at
from pipeline.stream.runner import Limits, Runner
from pipeline.stream.safeguards import Safeguards
from pipeline.telemetry.metrics import Metrics
from services.ledger.adapters.postgres import PostgresErasures, PostgresKnownJobs, PostgresLedger, PostgresRetention
from services.ledger.batch import BatchProcessor
from services.ledger.eraser import Eraser
from services.ledger.expirer import Expirer
from services.ledger.figures import Figures, MeteredLedger
from services.ledger.janitor import Janitor
from services.ledger.settings import LedgerSettings

GROUP = "ledger"
#: The record may be a tenth of a second late: hundreds of events come with one fetch, and go with one transaction.
GATHER_BYTES: Final = 65_536
DLQS = frozenset(topic + DLQ_SUFFIX for topic in BY_TOPIC)
TOPICS = (*OF_JOBS, *sorted(DLQS))


class _PutAside:
    """The ledger's DLQ port on the stream's safeguards."""

    def __init__(self, guards: Safeguards) -> None:
        self._guards = guards

    def check(self) -> None:
        self._guards.fuse.check()

    def passed(self) -> None:
        self._guards.fuse.passed()

    def put_aside(self, message: Message, error: Permanent) -> None:
        self._guards.dead_letters.put(message, error.reason, stage="decode")


def serve(settings: LedgerSettings, stop: threading.Event, status: StatusFile) -> None:
    """Construct, wait for the peers, run, drain."""
    metrics = status.metrics
    figures = Figures(metrics, by_client=settings.metrics_clients)
    ledger = PostgresLedger(settings.database_url.get_secret_value(), committed=figures.committed)
    producer = MeteredProducer(KafkaProducer(settings.kafka), metrics)
    store = MeteredStore(store_at(settings.store_url, settings.store_options), metrics)
    guards = Safeguards.of(
        store, producer, group=GROUP, clock=lambda: datetime.now(UTC), tell=status.write, metrics=metrics
    )
    waits = ((ledger.migrate, "database"), (producer.verify, "broker"), (guards.fuse.look, "store"))
    if not all(service.wait_for(verify, stop, status, peer) for verify, peer in waits):
        return
    wire = wire_at(settings.registry)
    batches = BatchProcessor(
        wire.decode, MeteredLedger(ledger, metrics), _PutAside(guards), bill_reprocess=settings.bill_reprocess
    )

    def process(messages: Sequence[Message]) -> None:
        batches.process(messages)

    limits = Limits(batch_max=settings.batch_max_events, drain_timeout_s=settings.drain_timeout_s)
    guards.watch_fuse(stop)
    _start_janitor(settings, store, stop, metrics)
    _start_eraser(settings, store, stop, metrics)
    _start_expirer(settings, store, stop, metrics)
    if not guards.fuse.blown:
        status.write("ready")
    consumer = EvenConsumer.connected(
        settings.kafka,
        group=GROUP,
        rare_group=rare_group(GROUP),
        rare=DLQS,
        gather_bytes=GATHER_BYTES,
        metrics=metrics,
    )
    Runner(consumer, TOPICS, process, limits, status.beat, metrics=metrics).run(stop)
    producer.close()
    ledger.close()


def _start_janitor(settings: LedgerSettings, store: BlobStore, stop: threading.Event, metrics: Metrics) -> None:
    """Have orphans swept beside everything else; what the janitor can't do is logged and stops nobody."""
    if not settings.sweep_every_s:
        return
    known = PostgresKnownJobs(settings.database_url.get_secret_value(), stop.wait)
    janitor = Janitor(store, known, timedelta(seconds=settings.orphan_after_s), metrics)
    told = (stop, settings.sweep_every_s, settings.orphans_max)
    threading.Thread(target=janitor.run, args=told, name="janitor", daemon=True).start()


def _start_eraser(settings: LedgerSettings, store: BlobStore, stop: threading.Event, metrics: Metrics) -> None:
    eraser = Eraser(store, PostgresErasures(settings.database_url.get_secret_value()), metrics)
    told = (stop, settings.erase_every_s)
    threading.Thread(target=eraser.run, args=told, name="eraser", daemon=True).start()


def _start_expirer(settings: LedgerSettings, store: BlobStore, stop: threading.Event, metrics: Metrics) -> None:
    if not settings.expire_every_s:
        return
    expirer = Expirer(store, PostgresRetention(settings.database_url.get_secret_value()), metrics)
    told = (stop, settings.expire_every_s)
    threading.Thread(target=expirer.run, args=told, name="expirer", daemon=True).start()


def main() -> int:
    """Run with the settings of the environment; the exit status."""
    settings = service.load(LedgerSettings)
    return service.run("ledger", settings, partial(serve, settings))


if __name__ == "__main__":
    sys.exit(main())
