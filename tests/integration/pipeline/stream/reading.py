"""A consumer group on a real Kafka: what it handled, what it put aside, where it stands."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts.events import AudioUploaded
from pipeline.outcome import Outcome, PutObject
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.events import EventProcessor
from pipeline.stream.kafka import KafkaConsumer, KafkaLogReader, KafkaProducer
from pipeline.stream.ports import Message, TopicPartition
from pipeline.stream.runner import Limits, Runner
from pipeline.stream.safeguards import Safeguards
from pipeline.stream.wire import Wire
from pipeline.testing import samples
from tests.integration.pipeline.stream.secured import PARTITIONS

TOPIC = AudioUploaded.TOPIC
DLQ = f"{TOPIC}.dlq"
LOGS = [TopicPartition(TOPIC, number) for number in range(PARTITIONS)]


@dataclass
class Group:
    """Members of one group and what they did."""

    connection: KafkaConnection
    name: str
    handled: list[AudioUploaded] = field(default_factory=list)

    def begin_here(self) -> None:
        """Do not read what other tests have left."""
        look = KafkaLogReader(self.connection)
        ends = {log: bounds.high for log, bounds in look.bounds(self.name, LOGS).items()}
        consumer = KafkaConsumer(self.connection, group=self.name)
        consumer.commit(ends)
        consumer.close()
        look.close()

    @contextmanager
    def member(self, wire: Wire) -> Iterator[None]:
        """One that works until the context ends."""
        producer, stop = KafkaProducer(self.connection), threading.Event()

        def handle(event: AudioUploaded, _received_at: datetime) -> Outcome[PutObject]:
            self.handled.append(event)
            return Outcome()

        store = MemoryStore()
        processor = EventProcessor(
            handle,
            expects=AudioUploaded,
            stage="transcriber",
            store=store,
            producer=producer,
            guards=Safeguards.of(store, producer, group=self.name, clock=lambda: samples.ACCEPTED_AT),
            clock=lambda: samples.ACCEPTED_AT,
            wire=wire,
        )
        limits = Limits(max_in_flight=4, first_backoff_s=0.1)
        consumer = KafkaConsumer(self.connection, group=self.name)
        runner = Runner(consumer, [TOPIC], processor, limits, beat=lambda: None)
        thread = threading.Thread(target=runner.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(30)
            producer.close()

    def unread(self) -> int:
        """Records that no commit has passed yet."""
        look = KafkaLogReader(self.connection)
        bounds = look.bounds(self.name, LOGS).values()
        look.close()
        return sum(one.high - (one.committed or 0) for one in bounds)


def put_aside(connection: KafkaConnection, group: str) -> list[Message]:
    """What a group has put aside, all there is in the DLQ by now."""
    look = KafkaLogReader(connection)
    logs = [TopicPartition(DLQ, number) for number in range(PARTITIONS)]
    wanted = sum(bounds.high - bounds.low for bounds in look.bounds(group, logs).values())
    look.close()
    consumer = KafkaConsumer(connection, group=f"{group}-dlq")
    consumer.subscribe([DLQ], lambda _: None, lambda _: None)
    found: list[Message] = []
    while len(found) < wanted:
        found.extend(consumer.poll(0.2, 100))
    consumer.close()
    return [message for message in found if message.header("razgovor.group") == group.encode()]
