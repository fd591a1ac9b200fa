"""`python -m services.ingest` as its operator starts it, and a plain socket to speak to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.testing.waiting import eventually


class IngestProcess:
    """A running ingest.

    Attributes:
        url: Its address, as its status file says.
        process: The process.
    """

    def __init__(self, process: subprocess.Popen[bytes], status_file: Path, log_file: Path) -> None:
        self.process = process
        self._status_file = status_file
        self._log_file = log_file
        self.url = str(eventually(lambda: self.status().get("address"), deadline_s=60))

    def status(self) -> dict[str, Any]:
        if self.process.poll() is not None:
            raise RuntimeError(f"ingest ended: {self.log()[-2000:]}")
        try:
            found: dict[str, Any] = json.loads(self._status_file.read_text())
        except FileNotFoundError:
            return {}
        return found

    def log(self) -> str:
        return self._log_file.read_text(encoding="utf-8")

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def raw(self, request: bytes, *, hang_up: bool = False) -> bytes:
        """Send bytes; the answer until the server closes or falls silent."""
        host, port = urlsplit(self.url).hostname, urlsplit(self.url).port
        with socket.create_connection((host, port), timeout=5) as connection:
            connection.sendall(request)
            if hang_up:
                return b""
            answer = b""
            while b"\r\n\r\n" not in answer or len(answer) < _whole(answer):
                data = connection.recv(65_536)
                if not data:
                    break
                answer += data
            return answer


def _whole(answer: bytes) -> int:
    head, _, _ = answer.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return len(head) + 4 + (int(lengths[0]) if lengths else 0)


@contextmanager
def running(
    folder: Path, database_url: str, bootstrap_servers: str, *, name: str = "ingest", **settings: str
) -> Iterator[IngestProcess]:
    """An ingest with its store in a folder that replicas of other names share; killed at the end if it still runs.

    With RAZGOVOR_* among the settings it is the test build, which kills itself or finds the disk full.
    """
    status_file, log_file = folder / f"{name}.json", folder / f"{name}.log"
    status_file.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "INGEST_PORT": "0",
        "INGEST_BOOTSTRAP_SERVERS": bootstrap_servers,
        "INGEST_STORE_URL": (folder / "store").as_uri(),
        "INGEST_STATUS_FILE": str(status_file),
        "INGEST_DATABASE_URL": database_url,
        "INGEST_RELAY_POLL_S": "0.1",
        **settings,
    }
    with log_file.open("ab") as log:
        is_test_build = any(name.startswith("RAZGOVOR_") for name in settings)
        entry = ["razgovor.chaos.service", "ingest"] if is_test_build else ["services.ingest"]
        command = [sys.executable, "-m", *entry]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stderr=log)
    try:
        yield IngestProcess(process, status_file, log_file)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
