"""`python -m services.ledger`: constructs the ledger and runs it until it is told to stop."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from functools import partial

from pipeline import service
from pipeline.contracts.events import BY_TOPIC
from pipeline.errors import Permanent
from pipeline.service import StatusFile
from pipeline.stream import wire
from pipeline.stream.dead_letters import DeadLetters
from pipeline.stream.kafka import KafkaConsumer, KafkaProducer
from pipeline.stream.ports import Message
from pipeline.stream.runner import Limits, Runner
from services.ledger.adapters.postgres import PostgresLedger
from services.ledger.batch import BatchProcessor
from services.ledger.dead_letters import DLQ_SUFFIX
from services.ledger.settings import LedgerSettings

GROUP = "ledger"
TOPICS = (*BY_TOPIC, *(topic + DLQ_SUFFIX for topic in BY_TOPIC))


class _PutAside:
    """The ledger's DLQ port on the stream's dead letters."""

    def __init__(self, dead_letters: DeadLetters) -> None:
        self._dead_letters = dead_letters

    def put_aside(self, message: Message, error: Permanent) -> None:
        self._dead_letters.put(message, error.reason, stage="decode")


def serve(settings: LedgerSettings, stop: threading.Event, status: StatusFile) -> None:
    """Construct, wait for the peers, run, drain."""
    ledger = PostgresLedger(settings.database_url.get_secret_value())
    producer = KafkaProducer(settings.bootstrap_servers)
    waits = ((ledger.migrate, "database"), (producer.verify, "broker"))
    if not all(service.wait_for(verify, stop, status, peer) for verify, peer in waits):
        return
    batches = BatchProcessor(
        wire.decode,
        ledger,
        _PutAside(DeadLetters(producer, group=GROUP)),
        bill_reprocess=settings.bill_reprocess,
    )

    def process(messages: Sequence[Message]) -> None:
        batches.process(messages)

    limits = Limits(batch_max=settings.batch_max_events, drain_timeout_s=settings.drain_timeout_s)
    status.write("ready")
    Runner(KafkaConsumer(settings.bootstrap_servers, group=GROUP), TOPICS, process, limits, status.beat).run(stop)
    producer.close()
    ledger.close()


def main() -> int:
    """Run with the settings of the environment; the exit status."""
    settings = service.load(LedgerSettings)
    return service.run("ledger", settings, partial(serve, settings))


if __name__ == "__main__":
    sys.exit(main())
