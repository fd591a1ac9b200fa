"""A set as `razgovor peers` starts it: it outlives who started it, and is ended by whoever has its folder."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from pipeline.testing.waiting import eventually
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.owned_process import own_environment
from razgovor.peers import peer_set
from razgovor.peers.addresses import peers_in
from tests.integration.razgovor.peers.folders import alive

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(400)]
START: Final = "import sys; from pathlib import Path; from razgovor.peers import peer_set; peer_set.start(Path(sys.argv[1]), ['s3', 'sftp'], print)"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "set"
    peer_set.stop(tmp_path / "set")


def start_in_a_shell(folder: Path) -> None:
    """Start by a process of its own session that ends then."""
    command = [sys.executable, "-c", START, str(folder)]
    done = subprocess.run(
        command, env=own_environment(), start_new_session=True, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def keeper_pid(folder: Path) -> int:
    return int(json.loads((folder / "keeper.json").read_text(encoding="utf-8"))["pid"])


def server_pid(folder: Path, name: str) -> int:
    """0 while it starts."""
    with suppress(FileNotFoundError):
        return int(json.loads((folder / name / "status.json").read_text(encoding="utf-8")).get("server_pid", 0))
    return 0


def test_it_outlives_its_shell_is_found_again_and_ends_when_told(folder: Path) -> None:
    start_in_a_shell(folder)
    found = peers_in(folder)
    assert found.kafka is None
    assert found.sftp is not None
    pids = [keeper_pid(folder), server_pid(folder, "s3"), server_pid(folder, "sftp")]
    start_in_a_shell(folder)
    assert keeper_pid(folder) == pids[0]
    assert peers_in(folder) == found
    assert peer_set.stop(folder)
    assert not any(alive(pid) for pid in pids)
    assert not peer_set.stop(folder)
    with pytest.raises(EmbeddedFailed, match="no peers run"):
        peers_in(folder)


def test_a_server_that_dies_comes_back_at_its_address(folder: Path) -> None:
    start_in_a_shell(folder)
    sftp = peers_in(folder).sftp
    assert sftp is not None
    first = server_pid(folder, "sftp")
    os.kill(first, signal.SIGKILL)
    eventually(lambda: server_pid(folder, "sftp") not in {0, first}, deadline_s=30)
    with socket.create_connection((sftp.host, sftp.port), timeout=10) as connection:
        assert connection.recv(4) == b"SSH-"


def test_when_the_keeper_is_killed_its_servers_end(folder: Path) -> None:
    start_in_a_shell(folder)
    servers = [server_pid(folder, "s3"), server_pid(folder, "sftp")]
    os.kill(keeper_pid(folder), signal.SIGKILL)
    eventually(lambda: not any(alive(pid) for pid in servers))
    with pytest.raises(EmbeddedFailed, match="have ended"):
        peers_in(folder)


def test_a_number_that_means_another_process_now_is_left_alone(folder: Path) -> None:
    start_in_a_shell(folder)
    honest = (folder / "keeper.json").read_text(encoding="utf-8")
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
    try:
        (folder / "keeper.json").write_text(json.dumps({**json.loads(honest), "pid": other.pid}), encoding="utf-8")
        with pytest.raises(EmbeddedFailed, match="left alone"):
            peer_set.stop(folder)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
        (folder / "keeper.json").write_text(honest, encoding="utf-8")
