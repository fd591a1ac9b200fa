"""`python -m services.exporter`: constructs the exporter and runs it until it is told to stop."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from functools import partial

from pipeline import service
from pipeline.blobs.location import store_at
from pipeline.blobs.metered import MeteredStore
from pipeline.contracts.events import TranscriptReady
from pipeline.outcome import Outcome, PutObject
from pipeline.service import StatusFile
from pipeline.stream.events import EventProcessor
from pipeline.stream.kafka import KafkaConsumer, KafkaProducer
from pipeline.stream.metered import MeteredProducer
from pipeline.stream.registry import wire_at
from pipeline.stream.runner import Limits, Runner
from pipeline.stream.safeguards import Safeguards
from pipeline.telemetry import logs
from services.exporter.handler import STAGE, handle, skipped_formats
from services.exporter.settings import ExporterSettings

GROUP = "exporter"
TOPICS = (TranscriptReady.TOPIC,)
_log = logs.get(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


def serve(settings: ExporterSettings, stop: threading.Event, status: StatusFile) -> None:
    """Construct, wait for the peers, run, drain."""
    metrics = status.metrics
    store = MeteredStore(store_at(settings.store_url, settings.store_options), metrics)
    producer = MeteredProducer(KafkaProducer(settings.kafka), metrics)
    guards = Safeguards.of(store, producer, group=GROUP, clock=_now, tell=status.write, metrics=metrics)
    wire = wire_at(settings.registry)
    peers = ((producer.verify, "broker"), (wire.verify, "schema registry"))
    waits = (*peers, (store.verify, "store"), (guards.fuse.look, "store"))
    if not all(service.wait_for(verify, stop, status, peer) for verify, peer in waits):
        return

    def decide(event: TranscriptReady, _received_at: datetime) -> Outcome[PutObject]:
        if skipped := skipped_formats(event):
            _log.warning(
                "skipped_formats", job_id=event.job_id, run=event.run, formats=[name[:16] for name in skipped[:8]]
            )
        return handle(event, store)

    processor = EventProcessor(
        decide,
        expects=TranscriptReady,
        stage=STAGE,
        store=store,
        producer=producer,
        guards=guards,
        clock=_now,
        wire=wire,
    )
    limits = Limits(max_in_flight=settings.max_in_flight, drain_timeout_s=settings.drain_timeout_s)
    consumer = KafkaConsumer(settings.kafka, group=GROUP, metrics=metrics)
    guards.watch_fuse(stop)
    if not guards.fuse.blown:
        status.write("ready")
    Runner(consumer, TOPICS, processor, limits, status.beat, metrics=metrics).run(stop)
    producer.close()


def main() -> int:
    """Run with the settings of the environment; the exit status."""
    settings = service.load(ExporterSettings)
    return service.run(STAGE, settings, partial(serve, settings))


if __name__ == "__main__":
    sys.exit(main())
