"""Attempts through the retry topic: runner, processor and a broker together."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts.events import AudioUploaded, JobStatus
from pipeline.outcome import Outcome, PutObject
from pipeline.stream import wire
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.events import EventProcessor
from pipeline.stream.kafka import KafkaConsumer, KafkaProducer
from pipeline.stream.kafka_mock import MockCluster
from pipeline.stream.ports import Consumer, Message
from pipeline.stream.retries import RetryTopic, retry_topic
from pipeline.stream.runner import Limits, Runner
from pipeline.stream.safeguards import Safeguards
from pipeline.testing import samples
from pipeline.testing.waiting import eventually

AGAIN = retry_topic(AudioUploaded.TOPIC)
JOBS = [f"job-{number}" for number in range(6)]
BAD = JOBS[2]


class Worker:
    """A transcriber-like service: `job-2` meets a bug of ours every time."""

    def __init__(self, address: str) -> None:
        self._kafka = KafkaConnection(bootstrap_servers=address)
        self.producer = KafkaProducer(self._kafka)
        self.attempts: Counter[str] = Counter()
        guards = Safeguards.of(
            MemoryStore(),
            self.producer,
            group="transcriber",
            clock=lambda: samples.ACCEPTED_AT,
            retries=RetryTopic(self.producer),
        )
        self._processor = EventProcessor(
            self._decide,
            expects=AudioUploaded,
            stage="transcriber",
            store=MemoryStore(),
            producer=self.producer,
            guards=guards,
            clock=lambda: samples.ACCEPTED_AT,
        )

    def _decide(self, event: AudioUploaded, _received_at: datetime) -> Outcome[PutObject]:
        self.attempts[event.job_id] += 1
        if event.job_id == BAD:
            raise ZeroDivisionError
        return Outcome(events=(samples.job_status(event.job_id),))

    @contextmanager
    def running(self, delay_s: float) -> Iterator[None]:
        stop = threading.Event()
        consumer = KafkaConsumer(self._kafka, group="transcriber")
        limits = Limits(delays_s={AGAIN: delay_s}, drain_timeout_s=2.0)
        runner = Runner(consumer, [AudioUploaded.TOPIC, AGAIN], self._processor, limits, lambda: None)
        thread = threading.Thread(target=runner.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(30)
            self.producer.close()


class Reader:
    """All that comes by on some topics."""

    def __init__(self, consumer: Consumer, *topics: str) -> None:
        self._consumer = consumer
        self.seen: list[Message] = []
        consumer.subscribe(topics, lambda _: None, lambda _: None)

    def on(self, topic: str) -> list[Message]:
        self.seen.extend(self._consumer.poll(0.1, 100))
        return [message for message in self.seen if message.topic == topic]

    def states(self) -> dict[str, str]:
        events = [wire.decode(message) for message in self.on(JobStatus.TOPIC)]
        return {event.job_id: event.state for event in events if isinstance(event, JobStatus)}


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with MockCluster() as running:
        for topic in (AudioUploaded.TOPIC, AGAIN, f"{AudioUploaded.TOPIC}.dlq", JobStatus.TOPIC):
            running.create_topic(topic)
        yield running


@pytest.fixture
def reader(cluster: MockCluster) -> Iterator[Reader]:
    consumer = KafkaConsumer(KafkaConnection(bootstrap_servers=cluster.address), group="looks")
    yield Reader(consumer, AGAIN, f"{AudioUploaded.TOPIC}.dlq", JobStatus.TOPIC)
    consumer.close()


def announce(worker: Worker) -> None:
    worker.producer.publish([wire.encode(samples.audio_uploaded(job_id)) for job_id in JOBS])


def test_a_call_at_fault_gets_three_attempts_and_holds_nobody_up(cluster: MockCluster, reader: Reader) -> None:
    worker = Worker(cluster.address)
    announce(worker)
    with worker.running(delay_s=0.2):
        eventually(lambda: len(reader.states()) == len(JOBS), deadline_s=60)
    assert reader.states() == {**dict.fromkeys(JOBS, "completed"), BAD: "failed"}
    assert worker.attempts == {**dict.fromkeys(JOBS, 1), BAD: 3}
    assert [message.header("razgovor.attempt") for message in reader.on(AGAIN)] == [b"2", b"3"]
    (aside,) = eventually(lambda: reader.on(f"{AudioUploaded.TOPIC}.dlq"))
    assert aside.header("__connect.errors.topic") == AudioUploaded.TOPIC.encode()


def test_attempts_are_counted_over_a_restart_and_wait_their_time(cluster: MockCluster, reader: Reader) -> None:
    first = Worker(cluster.address)
    announce(first)
    with first.running(delay_s=3600):
        eventually(lambda: len(reader.states()) == len(JOBS) - 1, deadline_s=60)
        eventually(lambda: reader.on(AGAIN), deadline_s=60)
    assert first.attempts[BAD] == 1
    second = Worker(cluster.address)
    with second.running(delay_s=0.1):
        eventually(lambda: reader.states().get(BAD) == "failed", deadline_s=60)
    assert second.attempts == {BAD: 2}
