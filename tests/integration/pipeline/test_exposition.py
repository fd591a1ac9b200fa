"""`/metrics` over HTTP, on loopback."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import httpx
import pytest

from pipeline import service
from pipeline.errors import Fatal
from pipeline.service import ServiceSettings, StatusFile
from pipeline.telemetry import families, logs
from pipeline.telemetry.exposition import served
from pipeline.telemetry.metrics import Metrics


def test_a_scrape_shows_what_was_counted() -> None:
    metrics = Metrics("ledger")
    metrics.add(families.RECORDS, 3, topic="job.status")
    with served(metrics, "127.0.0.1", 0) as url:
        answer = httpx.get(url)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'razgovor_records_total{topic="job.status"} 3.0' in answer.text
    assert "process_resident_memory_bytes" in answer.text
    assert "_created" not in answer.text


def test_nothing_else_is_there_and_nothing_is_taken() -> None:
    with served(Metrics(), "127.0.0.1", 0) as url:
        assert httpx.get(url.removesuffix("metrics")).status_code == 404
        assert httpx.post(url, content=b"x").status_code == 405


def test_it_is_gone_with_its_context() -> None:
    with served(Metrics(), "127.0.0.1", 0) as url:
        pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_client_that_says_nothing_holds_up_nobody() -> None:
    with served(Metrics(), "127.0.0.1", 0) as url, socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0)):
        assert httpx.get(url).status_code == 200


def test_a_taken_port_is_fatal_and_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Fatal, match=f"127.0.0.1:{port}"), served(Metrics(), "127.0.0.1", port):
            pass


def test_ipv6_is_an_address_too() -> None:
    with served(Metrics(), "::1", 0) as url:
        assert url.startswith("http://[::1]:")
        assert httpx.get(url).status_code == 200


def test_a_service_says_in_its_status_file_where_its_metrics_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without the signals and the root logger, which belong to the test runner.
    monkeypatch.setattr(service, "stop_event", lambda **_: threading.Event())
    monkeypatch.setattr(logs, "configure", lambda name, _level: logs.get(name))
    seen: dict[str, str] = {}
    path = tmp_path / "status.json"
    settings = ServiceSettings(
        bootstrap_servers="127.0.0.1:1", store_url="file:///nowhere", status_file=path, metrics_port=0
    )

    def body(_stop: threading.Event, status: StatusFile) -> None:
        seen["starting"] = httpx.get(json.loads(path.read_text())["metrics"]).text
        status.write("ready")
        seen["ready"] = httpx.get(json.loads(path.read_text())["metrics"]).text

    assert service.run("probe", settings, body) == 0
    assert "razgovor_ready 0.0" in seen["starting"]
    assert "razgovor_ready 1.0" in seen["ready"]
    assert json.loads(path.read_text())["state"] == "stopped"
