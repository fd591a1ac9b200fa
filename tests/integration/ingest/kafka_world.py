"""A broker of a test's own, mock or Kafka, its topics, and a worker that stands for all services behind the relay."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Self

import confluent_kafka as ck
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from pipeline.contracts.events import AudioUploaded, Completion, status
from pipeline.outcome import Outcome
from pipeline.stream import wire
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaConsumer
from pipeline.stream.kafka_mock import MockCluster
from pipeline.stream.ports import Message, TopicPartition
from pipeline.testing.samples import completion
from pipeline.testing.waiting import eventually
from razgovor.embedded.testing import temporary_folder
from razgovor.peers import KafkaServer
from services.ingest.announcer import GROUP
from services.ledger.adapters.postgres import PostgresLedger
from services.ledger.effects import Effect
from services.ledger.handler import Arrival, handle

PARTITIONS = 6


@contextmanager
def mock_broker() -> Iterator[MockCluster]:
    with MockCluster() as cluster:
        cluster.create_topic(AudioUploaded.TOPIC)
        yield cluster


def make_topics(bootstrap_servers: str, *topics: str, partitions: int = PARTITIONS) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    for future in admin.create_topics([NewTopic(topic, partitions, 1) for topic in topics]).values():
        future.result(30)


def recreate_topic(bootstrap_servers: str, topic: str = AudioUploaded.TOPIC) -> None:
    """Delete a topic and make it again; the groups' commits go with it."""
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    for future in admin.delete_topics([topic]).values():
        future.result(30)

    def made() -> bool:
        try:
            make_topics(bootstrap_servers, topic)
        except KafkaException as error:  # deleting takes the broker a moment longer than it says
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
            return False
        return True

    eventually(made)


def delete_records(bootstrap_servers: str, before: Mapping[TopicPartition, int]) -> None:
    """Do as retention does: the logs begin here."""
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    wanted = [ck.TopicPartition(log.topic, log.partition, offset) for log, offset in before.items()]
    for future in admin.delete_records(wanted).values():
        future.result(30)


@contextmanager
def own_kafka() -> Iterator[KafkaServer]:
    """A broker that may be killed, with the relay's topic."""
    with temporary_folder() as folder, KafkaServer(folder / "kafka") as server:
        make_topics(server.bootstrap_servers, AudioUploaded.TOPIC)
        yield server


class Reader:
    """Reads the relay's topic from its start, as a group of its own or as the transcriber's."""

    def __init__(self, bootstrap_servers: str, group: str) -> None:
        self.consumer = KafkaConsumer(KafkaConnection(bootstrap_servers=bootstrap_servers), group=group)
        self.events: list[AudioUploaded] = []
        self.consumer.subscribe([AudioUploaded.TOPIC], self._ignore, self._ignore)

    @staticmethod
    def _ignore(_partitions: Sequence[TopicPartition]) -> None:
        return

    def read(self, timeout_s: float = 0.2, at_most: int = 500) -> list[Message]:
        """What comes within a moment; its events are kept."""
        messages = self.consumer.poll(timeout_s, at_most)
        for message in messages:
            event = wire.decode(message)
            assert isinstance(event, AudioUploaded)
            self.events.append(event)
        return messages

    @property
    def times(self) -> Counter[str]:
        """How often each job was announced."""
        return Counter(event.job_id for event in self.events)


class Worker:
    """All that comes after the relay, in one thread: takes announcements, has the ledger complete them, commits.

    Attributes:
        at_most: So many jobs at a time.
        held: While it is set, nothing is taken.
    """

    def __init__(self, bootstrap_servers: str, ledger_url: str, at_most: int = 50) -> None:
        self.at_most = at_most
        self.held = threading.Event()
        self.done: list[str] = []
        self._ledger = PostgresLedger(ledger_url)
        self._reader = Reader(bootstrap_servers, GROUP)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()
        self._reader.consumer.close()
        self._ledger.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            if self.held.is_set():
                self._stop.wait(0.02)
                continue
            messages = self._reader.read(0.1, self.at_most)
            if not messages:
                continue
            events = self._reader.events[len(self._reader.events) - len(messages) :]
            # Committed first, as by a transcriber whose transcripts are still on their way.
            self._reader.consumer.commit({message.topic_partition: message.offset + 1 for message in messages})
            self._ledger.apply([_completed(message, event) for message, event in zip(messages, events, strict=True)])
            self.done += [event.job_id for event in events]


def _completed(message: Message, event: AudioUploaded) -> Outcome[Effect]:
    ending: Completion = completion(event.job_id)
    arrival = Arrival("job.status", message.partition, message.offset, datetime.now(UTC))
    return handle(arrival, status(event, "completed", "exporter", completion=ending), bill_reprocess=True)
