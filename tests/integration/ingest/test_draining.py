"""What a process that is told to stop, or finds the disk full, does with uploads that are under way."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg

from pipeline.stream.kafka_mock import MockCluster
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from tests.integration.ingest.process import IngestProcess, running
from tests.unit.ingest.rig import wav

DRAINED_S = 10.0
LARGE = wav(bytes(1_000_000))


def objects(folder: Path) -> list[Path]:
    return [path for path in (folder / "store").rglob("*") if path.is_file()]


def begin_upload(ingest: IngestProcess, key: str) -> socket.socket:
    """An upload of which half has been sent."""
    address = urlsplit(ingest.url)
    connection = socket.create_connection((address.hostname, address.port), timeout=30)
    head = f"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(LARGE)}\r\n\r\n"
    connection.sendall(head.encode() + LARGE[: len(LARGE) // 2])
    return connection


def test_told_to_stop_it_ends_in_time_though_uploads_rest_and_leaves_nothing_of_them(
    tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, key: str
) -> None:
    with ExitStack() as stack:
        ingest = stack.enter_context(running(tmp_path, migrated.ingest, broker.address))
        for _ in range(5):
            stack.enter_context(begin_upload(ingest, key))
        eventually(lambda: len(objects(tmp_path)) == 5)  # what has come of them lies in the store's .incoming
        began_s = time.monotonic()
        assert ingest.terminate() == 0
        assert time.monotonic() - began_s <= DRAINED_S
    assert objects(tmp_path) == []
    with psycopg.connect(migrated.ingest) as connection:
        assert connection.execute("SELECT count(*) FROM ingest.submissions").fetchone() == (0,)


def test_told_to_stop_it_still_takes_what_comes_to_its_end(
    tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, key: str
) -> None:
    with ExitStack() as stack:
        ingest = stack.enter_context(running(tmp_path, migrated.ingest, broker.address))
        upload = stack.enter_context(begin_upload(ingest, key))
        eventually(lambda: len(objects(tmp_path)) == 1)
        ingest.process.terminate()
        eventually(lambda: ingest.status().get("state") == "draining")
        upload.sendall(LARGE[len(LARGE) // 2 :])
        assert upload.recv(12) == b"HTTP/1.1 202"
        assert ingest.process.wait(DRAINED_S) == 0
    with psycopg.connect(migrated.ingest) as connection:
        assert connection.execute("SELECT count(*) FROM ingest.outbox").fetchone() == (1,)


def test_a_full_disk_is_answered_with_503_and_what_has_room_is_taken(
    tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, key: str
) -> None:
    """No file of this process may grow beyond 200 KB: what a disk does that has so much room left."""
    headers = {"Authorization": f"Bearer {key}"}
    with running(tmp_path, migrated.ingest, broker.address, RAZGOVOR_FILE_LIMIT_BYTES="200000") as ingest:
        refused = httpx.post(f"{ingest.url}/v1/jobs", content=LARGE, headers=headers, timeout=30)
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert int(refused.headers["retry-after"]) >= 1
        assert objects(tmp_path) == []
        assert httpx.post(f"{ingest.url}/v1/jobs", content=wav(), headers=headers, timeout=30).status_code == 202
        assert httpx.get(f"{ingest.url}/readyz", timeout=30).status_code == 200
