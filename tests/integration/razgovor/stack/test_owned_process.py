from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from razgovor.embedded.errors import ProcessFailed
from razgovor.embedded.owned_process import OwnedProcess, own_environment
from razgovor.embedded.waiting import until

READY = (
    "import json, os, sys; open(sys.argv[1], 'w').write(json.dumps({'state': 'ready', 'pid': os.getpid(), 'port': 7}));"
)
WAITS_FOR_END_OF_INPUT = "sys.stdin.read()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[[str], OwnedProcess]]:
    made: list[OwnedProcess] = []

    def start(script: str) -> OwnedProcess:
        status_file = tmp_path / "status.json"
        process = OwnedProcess(
            name="child",
            command=[sys.executable, "-S", "-c", script, str(status_file)],
            log=tmp_path / "child.log",
            status_file=status_file,
        )
        made.append(process)
        process.start()
        return process

    yield start
    for process in made:
        process.kill()


def is_gone(pid: int) -> bool:
    try:
        facts = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return True
    return facts.rpartition(")")[2].split()[0] == "Z"  # where nothing reaps orphans


def test_a_process_is_ready_when_it_says_so(started: Callable[[str], OwnedProcess]) -> None:
    process = started(READY + WAITS_FOR_END_OF_INPUT)
    process.wait_ready(10)
    assert process.fact_int("port") == 7
    assert process.exit_status() is None


def test_one_that_dies_first_is_an_error_with_the_end_of_its_log(started: Callable[[str], OwnedProcess]) -> None:
    process = started("import sys; sys.exit('no model here')")
    with pytest.raises(ProcessFailed, match="no model here") as failure:
        process.wait_ready(10)
    assert failure.value.name == "child"


def test_one_that_is_late_is_ended(started: Callable[[str], OwnedProcess]) -> None:
    process = started("import sys;" + WAITS_FOR_END_OF_INPUT)
    with pytest.raises(ProcessFailed, match="not ready"):
        process.wait_ready(0.2)
    assert process.exit_status() == -signal.SIGKILL


def test_the_end_of_its_input_is_enough_to_end_it(started: Callable[[str], OwnedProcess]) -> None:
    process = started(DEAF + READY + WAITS_FOR_END_OF_INPUT)
    process.wait_ready(10)
    assert process.stop(10)
    assert process.exit_status() == 0


def test_one_that_does_not_listen_is_killed_when_the_time_is_over(started: Callable[[str], OwnedProcess]) -> None:
    process = started(DEAF + READY + "signal.pause()")
    process.wait_ready(10)
    assert not process.stop(0.2)
    assert process.exit_status() == -signal.SIGKILL


def test_what_a_killed_process_leaves_in_its_group_ends_with_it(started: Callable[[str], OwnedProcess]) -> None:
    script = (
        "import os, signal, sys; child = os.fork() or signal.pause();" + READY.replace("7", "child") + "signal.pause()"
    )
    process = started(script)
    process.wait_ready(10)
    grandchild = process.fact_int("port")
    assert grandchild is not None
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: process.exit_status() is not None, 10)
    until(lambda: is_gone(grandchild), 10)


def test_what_another_process_writes_into_its_status_file_is_not_its(
    started: Callable[[str], OwnedProcess], tmp_path: Path
) -> None:
    process = started(READY + WAITS_FOR_END_OF_INPUT)
    process.wait_ready(10)
    (tmp_path / "status.json").write_text('{"state": "stopped", "pid": 1}', encoding="utf-8")
    assert process.state() == "starting"
    assert process.facts() == {}


def test_its_log_is_private(started: Callable[[str], OwnedProcess], tmp_path: Path) -> None:
    started(READY + WAITS_FOR_END_OF_INPUT).wait_ready(10)
    assert stat.S_IMODE((tmp_path / "child.log").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "status.json").stat().st_mode) == 0o600


def test_kill_9_of_the_owner_ends_it(tmp_path: Path) -> None:
    owner_script = (
        "import sys; from pathlib import Path; from razgovor.embedded.owned_process import OwnedProcess;"
        "folder = Path(sys.argv[1]); status = folder / 'status.json';"
        "child = OwnedProcess(name='child', command=[sys.executable, '-S', '-c', sys.argv[2], str(status)],"
        " log=folder / 'child.log', status_file=status);"
        "child.start(); child.wait_ready(10); print(child.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", owner_script, str(tmp_path), READY + WAITS_FOR_END_OF_INPUT],
        env=own_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.kill()
    until(lambda: is_gone(pid), 10)
