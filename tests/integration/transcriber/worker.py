"""Transcribers in processes of their own, over a broker and a folder: the test build, which needs no model, or the service.

An honest recording takes a fake engine its time; a marked one goes to a real child of the decoder or the engine, and does
there what its mark says (see `razgovor.chaos.poison`).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import psutil

from pipeline.blobs.folder import FolderStore
from pipeline.contracts import layout
from pipeline.contracts.events import AudioObject, Event, JobStatus, TranscriptReady
from pipeline.contracts.transcript import sha256_hex
from pipeline.errors import Transient
from pipeline.stream import wire
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaConsumer, KafkaLogReader, KafkaProducer
from pipeline.stream.kafka_mock import MockCluster
from pipeline.stream.ports import LogBounds, Message, TopicPartition
from pipeline.testing import samples
from pipeline.testing.waiting import eventually
from razgovor.chaos.poison import Poison
from razgovor.chaos.recordings import recording
from razgovor.embedded.owned_process import module_command, own_environment

SAID = ("transcript.ready", "job.status", "audio.uploaded.dlq")
TOPICS = ("audio.uploaded", "audio.uploaded.retry", *SAID)
PARTITIONS = 4
TAKEOVER_AFTER_S = 1.5


def mock_cluster() -> MockCluster:
    cluster = MockCluster()
    for topic in TOPICS:
        cluster.create_topic(topic)
    return cluster


class World:
    """What workers share, and what came of them.

    `bootstrap_servers` are of a Kafka that has the topics, with `PARTITIONS` each; without, there is a mock broker.
    """

    def __init__(self, folder: Path, bootstrap_servers: str | None = None) -> None:
        self.folder = folder
        self.cluster = None if bootstrap_servers else mock_cluster()
        address = self.cluster.address if self.cluster else str(bootstrap_servers)
        self.store = FolderStore(folder / "store")
        self.connection = KafkaConnection(bootstrap_servers=address)
        self.producer = KafkaProducer(self.connection)
        self.look = KafkaLogReader(self.connection)
        self.workers: list[Worker] = []
        self._seen: list[Message] = []
        self._reader = KafkaConsumer(self.connection, group="test")
        self._reader.subscribe(SAID, lambda _: None, lambda _: None)
        self.uploads = 0

    def worker(self, **settings: str) -> Worker:
        """The test build."""
        return self._started(settings, ("razgovor.chaos.service", "transcriber"))

    def service(self, **settings: str) -> Worker:
        """As in production: with the front end and the model that the settings name."""
        return self._started(settings, ("services.transcriber",))

    def _started(self, settings: dict[str, str], build: tuple[str, ...]) -> Worker:
        worker = Worker(self, f"worker-{len(self.workers)}", settings, build)
        self.workers.append(worker)
        return worker

    def upload(self, job_id: str, poison: Poison | None = None) -> str:
        self.uploads += 1
        return self.upload_bytes(job_id, recording(1, self.uploads, poison=poison))

    def upload_bytes(self, job_id: str, data: bytes, language: str = "ru") -> str:
        key = layout.audio_key(job_id)
        self.store.put(key, data, media_type="audio/x-wav")
        audio = AudioObject(key=key, sha256=sha256_hex(data), size_bytes=len(data), media_type="audio/x-wav")
        self.producer.publish([wire.encode(samples.audio_uploaded(job_id, audio=audio, language=language))])
        return job_id

    def _read(self) -> list[Message]:
        """Everything that was said until now."""
        logs = [TopicPartition(topic, number) for topic in SAID for number in range(PARTITIONS)]
        said = sum(bound.high for bound in self._bounds("test", logs).values())

        def all_seen() -> bool:
            self._seen.extend(self._reader.poll(0.05, 500))
            return len(self._seen) >= said

        eventually(all_seen)
        return self._seen

    def events(self) -> list[Event]:
        return [wire.decode(message) for message in self._read() if not message.topic.endswith(".dlq")]

    def ready(self) -> set[str]:
        return {event.job_id for event in self.events() if isinstance(event, TranscriptReady)}

    def failed(self) -> dict[str, str | None]:
        """Reasons by job."""
        said = [event for event in self.events() if isinstance(event, JobStatus) and event.state == "failed"]
        return {event.job_id: event.reason for event in said}

    def put_aside(self) -> list[bytes | None]:
        return [message.header("razgovor.reason") for message in self._read() if message.topic.endswith(".dlq")]

    def markers(self, job_id: str) -> list[str]:
        prefix = layout.run_prefix(job_id, 1)
        names = [blob.key.removeprefix(prefix) for blob in self.store.list(prefix)]
        return [name for name in names if name.startswith(layout.START_NAME)]

    def committed(self) -> int:
        logs = [TopicPartition("audio.uploaded", number) for number in range(PARTITIONS)]
        return sum(bound.committed or 0 for bound in self._bounds("transcriber", logs).values())

    def _bounds(self, group: str, logs: list[TopicPartition]) -> dict[TopicPartition, LogBounds]:
        """A real broker says now and then that it does not coordinate the group yet."""

        def known() -> dict[TopicPartition, LogBounds] | None:
            try:
                return self.look.bounds(group, logs)
            except Transient:
                return None

        return eventually(known) or {}

    def lose_broker(self) -> None:
        """End the mock broker; nothing of it can be asked any more."""
        if self.cluster is not None:
            self.cluster.close()
            self.cluster = None

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
        self._reader.close()
        self.look.close()
        self.producer.close()
        self.lose_broker()


class Worker:
    """One transcriber."""

    def __init__(self, world: World, name: str, settings: dict[str, str], build: tuple[str, ...]) -> None:
        self._status_file = world.folder / f"{name}.json"
        self._log_file = world.folder / f"{name}.log"
        scratch = world.folder / f"{name}-scratch"
        scratch.mkdir()
        environment = {
            "TRANSCRIBER_BOOTSTRAP_SERVERS": world.connection.bootstrap_servers,
            "TRANSCRIBER_STORE_URL": (world.folder / "store").as_uri(),
            "TRANSCRIBER_STATUS_FILE": str(self._status_file),
            "TRANSCRIBER_SCRATCH_DIR": str(scratch),
            "TRANSCRIBER_TAKEOVER_AFTER_S": str(TAKEOVER_AFTER_S),
            "TRANSCRIBER_DECODE_MEMORY_BYTES": str(1 << 28),
            "TRANSCRIBER_ENGINE_MEMORY_BYTES": str(1 << 28),
            "RAZGOVOR_ENGINE_S": "0.05",
            **settings,
        }
        with self._log_file.open("wb") as log:
            self.process = subprocess.Popen(module_command(*build), env=own_environment(environment), stderr=log)

    def is_ready(self) -> bool:
        try:
            return bool(json.loads(self._status_file.read_text())["state"] == "ready")
        except FileNotFoundError:
            return False

    def await_ready(self) -> Worker:
        eventually(self.is_ready, deadline_s=60)
        return self

    def log(self) -> str:
        return self._log_file.read_text(encoding="utf-8")

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def send(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)
