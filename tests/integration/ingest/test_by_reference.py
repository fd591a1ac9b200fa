"""Recordings by their address through a real ingest process: a server with TLS on loopback, a folder of sources, curl."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from pipeline.stream.kafka_mock import MockCluster
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.peers.certificates import Certificates
from services.ingest.admin import create_key
from services.ingest.clients import Client
from tests.integration.http_server import Silent, serving
from tests.integration.ingest.process import IngestProcess, running
from tests.unit.ingest.rig import wav

AUDIO = wav()


class _Files(Silent, BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/inward":
            self.send_response(302)
            self.send_header("Location", "https://localhost/a.wav")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(AUDIO)))
        self.end_headers()
        self.wfile.write(AUDIO[: len(AUDIO) // 2] if self.path == "/half.wav" else AUDIO)


@pytest.fixture
def files(certificates: Certificates) -> Iterator[str]:
    _Files.asked.clear()
    with serving(_Files, certificates) as port:
        yield f"https://localhost:{port}"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    (folder / "acme-calls" / "2026").mkdir(parents=True)
    (folder / "acme-calls" / "2026" / "a.wav").write_bytes(AUDIO)
    return folder


@pytest.fixture
def settings(files: str, certificates: Certificates, sources: Path) -> dict[str, str]:
    return {
        "INGEST_SOURCE_URL": sources.as_uri(),
        "INGEST_OUTBOUND_PORTS": json.dumps([int(files.rpartition(":")[2])]),
        "INGEST_OUTBOUND_NETWORKS": '["127.0.0.0/8", "::1/128"]',
        "INGEST_OUTBOUND_CA_FILE": str(certificates.authority),
    }


@pytest.fixture
def acme(migrated: DatabaseUrls) -> str:
    return create_key(migrated.ingest, Client(client_id="acme", name="Acme", sources=("s3://acme-calls/2026/",)))


def submit(ingest: IngestProcess, key: str, url: str) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx.post(f"{ingest.url}/v1/jobs", json={"audio_url": url}, headers=headers, timeout=30)
    return answer.status_code, answer.json()


def test_recordings_are_fetched_from_where_it_is_allowed_and_from_nowhere_else(
    tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, settings: dict[str, str], acme: str, files: str
) -> None:
    with running(tmp_path, migrated.ingest, broker.address, **settings) as ingest:
        for url in (f"{files}/calls/a.wav?X-Signature=1", "s3://acme-calls/2026/a.wav"):
            status, accepted = submit(ingest, acme, url)
            assert status == 202
            job = f"{ingest.url}{accepted['links']['self']}"
            audio = httpx.get(f"{job}/audio", headers={"Authorization": f"Bearer {acme}"}, timeout=30)
            assert audio.content == AUDIO
        for url, code in (
            (f"{files}/half.wav", "source_failed"),
            (f"{files}/inward", "url_not_allowed"),
            ("https://localhost/a.wav", "url_not_allowed"),
            (f"{files.replace('localhost', '10.255.255.1')}/a.wav", "url_not_allowed"),
            ("s3://acme-calls/a.wav", "url_not_allowed"),
            ("s3://acme-calls/2026/none.wav", "source_failed"),
        ):
            status, problem = submit(ingest, acme, url)
            assert (status, problem["code"]) == (422, code), url
        assert "X-Signature" not in ingest.log()
    assert _Files.asked == ["/calls/a.wav?X-Signature=1", "/half.wav", "/inward"]


def test_by_default_nothing_of_this_machine_is_reached(
    tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, settings: dict[str, str], acme: str, files: str
) -> None:
    only_port = {"INGEST_OUTBOUND_PORTS": settings["INGEST_OUTBOUND_PORTS"]}
    with running(tmp_path, migrated.ingest, broker.address, **only_port) as ingest:
        for host in ("localhost", "127.0.0.1", "2130706433", "[::1]", "0.0.0.0"):  # noqa: S104  an address to be refused
            status, problem = submit(ingest, acme, f"{files.replace('localhost', host)}/a.wav")
            assert (status, problem["code"]) == (422, "url_not_allowed"), host
    assert _Files.asked == []


def test_curl_sends_many_files_with_fields_of_their_own(
    tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, acme: str
) -> None:
    curl = shutil.which("curl")
    assert curl is not None
    recordings = [wav(bytes([number, 0]) * 16_000) for number in range(3)]
    parts = ["-F", "channels=operator,customer"]
    for number, recording in enumerate(recordings):
        path = tmp_path / f"{number}.wav"
        path.write_bytes(recording)
        parts += ["-F", f"call_id=c-{number}", "-F", f"file=@{path}"]
    (tmp_path / "no.txt").write_text("no recording at all")
    parts += ["-F", f"file=@{tmp_path / 'no.txt'}"]
    with running(tmp_path, migrated.ingest, broker.address) as ingest:
        command = [curl, "-sS", "-H", f"Authorization: Bearer {acme}", "-H", "Idempotency-Key: evening", *parts]
        sent = [
            subprocess.run([*command, f"{ingest.url}/v1/jobs/batch"], capture_output=True, check=True) for _ in "ab"
        ]
        first, again = (json.loads(one.stdout) for one in sent)
        assert (first["accepted"], first["refused"], first["stopped"]) == (3, 1, None)
        assert first["items"][3]["problem"]["code"] == "unsupported_media"
        assert [item["job"] for item in again["items"]] == [item["job"] for item in first["items"]]
        headers = {"Authorization": f"Bearer {acme}"}
        for number, item in enumerate(first["items"][:3]):
            address = f"{ingest.url}{item['job']['links']['self']}"
            job = eventually(lambda address=address: httpx.get(address, headers=headers, timeout=30).json())  # type: ignore[misc]
            assert (job["call_id"], job["channel_roles"]) == (f"c-{number}", ["operator", "customer"])
            assert httpx.get(f"{address}/audio", headers=headers, timeout=30).content == recordings[number]
