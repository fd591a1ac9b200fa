"""`python -m services.exporter`: constructs the exporter and runs it until it is told to stop."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from functools import partial

from pipeline import service
from pipeline.blobs.location import store_at
from pipeline.contracts.events import TranscriptReady
from pipeline.outcome import Outcome, PutObject
from pipeline.service import StatusFile
from pipeline.stream.dead_letters import DeadLetters
from pipeline.stream.events import EventProcessor
from pipeline.stream.kafka import KafkaConsumer, KafkaProducer
from pipeline.stream.runner import Limits, Runner
from services.exporter.handler import STAGE, handle
from services.exporter.settings import ExporterSettings

GROUP = "exporter"


def serve(settings: ExporterSettings, stop: threading.Event, status: StatusFile) -> None:
    """Construct, wait for the peers, run, drain."""
    store = store_at(settings.store_url)
    producer = KafkaProducer(settings.bootstrap_servers)
    store.verify()
    if not service.wait_for(producer.verify, stop, status, "broker"):
        return

    def decide(event: TranscriptReady, _received_at: datetime) -> Outcome[PutObject]:
        return handle(event, store)

    processor = EventProcessor(
        decide,
        expects=TranscriptReady,
        stage=STAGE,
        store=store,
        producer=producer,
        dead_letters=DeadLetters(producer, group=GROUP),
        clock=lambda: datetime.now(UTC),
    )
    limits = Limits(max_in_flight=settings.max_in_flight, drain_timeout_s=settings.drain_timeout_s)
    consumer = KafkaConsumer(settings.bootstrap_servers, group=GROUP)
    status.write("ready")
    Runner(consumer, [TranscriptReady.TOPIC], processor, limits, status.beat).run(stop)
    producer.close()


def main() -> int:
    """Run with the settings of the environment; the exit status."""
    settings = service.load(ExporterSettings)
    return service.run(STAGE, settings, partial(serve, settings))


if __name__ == "__main__":
    sys.exit(main())
