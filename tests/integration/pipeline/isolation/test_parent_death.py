from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

PATIENCE_S = 60.0
ROOT = Path(__file__).parents[4]
PARENT = """
import sys, threading
sys.path.insert(0, {root!r})
from pipeline.isolation import ChildProcess, Limits
from tests.integration.pipeline.isolation import work

child = ChildProcess(work.faithful, name="orphan", limits=Limits(), start_timeout_s=60)
starter = threading.Thread(target=child.start)  # a thread that ends must not take the child with it
starter.start()
starter.join()
print(child.call("pid", timeout_s=60), flush=True)
{then}
"""


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE  # whoever adopted it may be slow to reap
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(pid: int) -> bool:
    deadline_s = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not is_gone(pid) and time.monotonic() < deadline_s:
        pause.wait(0.02)
    return is_gone(pid)


def start_parent(then: str) -> tuple[subprocess.Popen[str], int]:
    script = PARENT.format(root=str(ROOT), then=then)
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


@pytest.mark.parametrize("order", ["hang", "hold"])
def test_a_busy_child_ends_when_its_parent_is_killed(order: str) -> None:
    parent, child_pid = start_parent(f"child.call({order!r}, timeout_s=600)")
    with parent:
        assert not is_gone(child_pid)
        parent.kill()
    assert wait_until_gone(child_pid)


def test_an_idle_child_ends_when_its_parent_is_killed() -> None:
    parent, child_pid = start_parent("sys.stdin.read()")
    with parent:
        assert not is_gone(child_pid)
        parent.kill()
    assert wait_until_gone(child_pid)


def test_a_parent_that_forgets_to_close_ends_at_once_and_so_does_its_child() -> None:
    parent, child_pid = start_parent("")
    with parent:
        assert parent.wait(PATIENCE_S) == 0
    assert wait_until_gone(child_pid)
