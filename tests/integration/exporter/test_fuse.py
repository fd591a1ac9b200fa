"""A wrong deployment, as its operator sees it: the exporter's process over topics full of what it cannot read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.contracts.events import JobStatus, TranscriptReady
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaConsumer, KafkaProducer
from pipeline.stream.kafka_mock import MockCluster
from pipeline.stream.ports import Message, Record
from pipeline.testing.waiting import eventually
from razgovor.__main__ import app

DLQ = f"{TranscriptReady.TOPIC}.dlq"


class Deployment:
    """An exporter's settings, its status, and its DLQ."""

    def __init__(self, cluster: MockCluster, folder: Path) -> None:
        self._folder = folder
        self._broker = KafkaConnection(bootstrap_servers=cluster.address)
        self._reader = KafkaConsumer(self._broker, group="looks")
        self._reader.subscribe([DLQ], lambda _: None, lambda _: None)
        self._put_aside: list[Message] = []
        self.store = folder / "store"

    @contextmanager
    def exporter(self) -> Iterator[subprocess.Popen[bytes]]:
        status = self._folder / "status.json"
        status.unlink(missing_ok=True)
        environment = {
            **os.environ,
            "EXPORTER_BOOTSTRAP_SERVERS": self._broker.bootstrap_servers,
            "EXPORTER_STORE_URL": self.store.as_uri(),
            "EXPORTER_STATUS_FILE": str(status),
        }
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen([sys.executable, "-m", "services.exporter"], env=environment, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait(10)

    def state(self) -> str:
        try:
            return str(json.loads((self._folder / "status.json").read_text())["state"])
        except FileNotFoundError:
            return ""

    def log(self) -> str:
        return (self._folder / "log").read_text(encoding="utf-8")

    def publish_junk(self, count: int) -> None:
        producer = KafkaProducer(self._broker)
        producer.publish([Record(TranscriptReady.TOPIC, b"job-%d" % number, b"junk") for number in range(count)])
        producer.close()

    def put_aside(self) -> int:
        """How many records lie on the DLQ, repetitions included."""
        self._put_aside += self._reader.poll(0.2, 1000)
        return len(self._put_aside)

    def originals(self) -> int:
        """How many different ones."""
        self.put_aside()
        names = ("__connect.errors.partition", "__connect.errors.offset")
        return len({tuple(message.header(name) for name in names) for message in self._put_aside})

    def resume(self) -> str:
        settings = {
            "LEDGER_DATABASE_URL": "postgresql://nowhere",
            "LEDGER_BOOTSTRAP_SERVERS": "nowhere:1",
            "LEDGER_STORE_URL": self.store.as_uri(),
        }
        return CliRunner().invoke(app, ["dlq", "resume", "--group", "exporter"], env=settings).output

    def close(self) -> None:
        self._reader.close()


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with MockCluster() as cluster:
        for topic in (TranscriptReady.TOPIC, DLQ, JobStatus.TOPIC):
            cluster.create_topic(topic)
        deployment = Deployment(cluster, tmp_path)
        yield deployment
        deployment.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_topic_of_junk_leaks_twenty_and_waits_for_an_operator_over_restarts(deployment: Deployment) -> None:
    deployment.publish_junk(30)
    with deployment.exporter():
        eventually(lambda: deployment.state() == "fused", deadline_s=90)
        assert '"fuse_blown"' in deployment.log()
        eventually(lambda: deployment.put_aside() == 20, deadline_s=90)
    with deployment.exporter() as process:  # restarted
        eventually(lambda: '"fuse_found_blown"' in deployment.log(), deadline_s=90)
        assert process.poll() is None
        eventually(lambda: deployment.state() == "fused", deadline_s=90)
        assert deployment.put_aside() == 20
        assert "undecodable 20" in deployment.resume()
        eventually(lambda: deployment.originals() > 20, deadline_s=90)

        def done() -> bool:
            # What the killed process had put aside and not committed comes again, and may blow the fuse once more.
            deployment.resume()
            return deployment.originals() == 30 and deployment.state() == "ready"

        eventually(done, deadline_s=90, every_s=1.0)
