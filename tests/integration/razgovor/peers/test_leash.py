"""The life of any peer, shown on a server of a few lines: no Kafka is needed to see who ends whom."""

from __future__ import annotations

import os
import signal
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.testing.waiting import eventually
from razgovor.embedded.errors import HomeBusy, ProcessFailed
from razgovor.peers.server import Launch, PeerServer
from tests.integration.razgovor.peers.folders import alive

HTTP = "import sys; from http.server import *; HTTPServer(('127.0.0.1', int(sys.argv[1])), SimpleHTTPRequestHandler).serve_forever()"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(1000)"


class WebServer(PeerServer):
    name = "web"

    @property
    def port(self) -> int:
        return self.kept.port("http")

    def prepare(self) -> Launch:
        return Launch(
            command=[sys.executable, "-c", HTTP, str(self.port)],
            ready={"port": self.port, "path": "/"},
            stop_timeout_s=5,
        )

    def answers(self) -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as answer:
            return bool(answer.status == 200)


class DeafServer(PeerServer):
    name = "deaf"

    def prepare(self) -> Launch:
        return Launch(command=[sys.executable, "-c", DEAF], ready={"line": "up"}, stop_timeout_s=0.3)


class BrokenServer(PeerServer):
    name = "broken"

    def prepare(self) -> Launch:
        return Launch(command=[sys.executable, "-c", "raise SystemExit('no room for me')"], ready={"line": "never"})


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebServer]:
    server = WebServer(tmp_path / "web")
    yield server
    server.kill()


def test_it_is_ready_when_it_answers_and_gone_after_a_stop(web: WebServer) -> None:
    with web:
        assert web.answers()
        pid = web.pid
        assert alive(pid)
    assert not alive(pid)
    assert not web.is_running


def test_after_kill_9_it_comes_back_at_its_address(web: WebServer) -> None:
    web.start()
    first, port = web.pid, web.port
    os.kill(first, signal.SIGKILL)
    eventually(lambda: not web.is_running)
    web.start()
    assert web.answers()
    assert (web.port, web.pid != first) == (port, True)


def test_a_start_of_one_that_runs_changes_nothing(web: WebServer) -> None:
    web.start()
    pid = web.pid
    web.start()
    assert web.pid == pid


def test_kill_ends_it_at_once_with_all_of_its_processes(web: WebServer) -> None:
    web.start()
    pid = web.pid
    web.kill()
    eventually(lambda: not alive(pid))


def test_when_its_leash_is_killed_it_ends_too(web: WebServer) -> None:
    web.start()
    pid = web.pid
    leash = int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    os.kill(leash, signal.SIGKILL)
    eventually(lambda: not alive(pid))


def test_one_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    with DeafServer(tmp_path) as server:
        pid = server.pid
    assert not alive(pid)


def test_a_paused_one_can_be_stopped(web: WebServer) -> None:
    web.start()
    pid = web.pid
    web.pause()
    web.stop()
    assert not alive(pid)


def test_one_that_does_not_start_says_why(tmp_path: Path) -> None:
    server = BrokenServer(tmp_path)
    with pytest.raises(ProcessFailed, match="no room for me"):
        server.start()
    assert not server.is_running


def test_two_in_one_folder_are_refused(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("razgovor.peers.server.LOCK_TIMEOUT_S", 0.1)
    with web, pytest.raises(HomeBusy, match="another web runs"):
        WebServer(web.folder).start()


def test_remove_leaves_nothing(web: WebServer) -> None:
    web.start()
    web.remove()
    assert not web.folder.exists()


def test_what_is_left_of_a_plan_is_private(web: WebServer) -> None:
    with web:
        modes = {path.name: path.stat().st_mode & 0o077 for path in web.folder.iterdir()}
    assert not any(modes.values()), modes
