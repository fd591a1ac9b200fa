from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from pipeline.errors import CallFault, Transient
from pipeline.isolation import ChildFailed, ChildProcess, Limits
from services.transcriber.adapters.children import serve


def crash_while_there(marker: Path) -> Callable[[str], str]:
    """Serves; dies instead as often as the file has lines, and takes one away each time."""

    def answer(request: str) -> str:
        lines = marker.read_text().splitlines()
        if lines:
            marker.write_text("\n".join(lines[1:]))
            os._exit(9)
        if request == "unforeseen":
            raise ZeroDivisionError
        return request.upper()

    return answer


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    path = tmp_path / "crashes"
    path.write_text("")
    return path


@pytest.fixture
def child(marker: Path) -> Iterator[ChildProcess[str, str]]:
    process: ChildProcess[str, str] = ChildProcess(
        partial(crash_while_there, marker), name="test-child", limits=Limits(), start_timeout_s=30
    )
    yield process
    process.close()


def test_the_first_crash_is_tried_again(child: ChildProcess[str, str], marker: Path) -> None:
    marker.write_text("once")

    assert serve(child, "call", timeout_s=30) == "CALL"


def test_the_second_crash_is_the_calls_fault_and_the_next_call_is_served(
    child: ChildProcess[str, str], marker: Path
) -> None:
    marker.write_text("once\ntwice")

    with pytest.raises(CallFault) as fault:
        serve(child, "call", timeout_s=30)

    assert fault.value.reason == "worker_crashed"
    assert serve(child, "another", timeout_s=30) == "ANOTHER"


def test_what_nobody_foresaw_is_passed_on(child: ChildProcess[str, str]) -> None:
    with pytest.raises(ChildFailed):
        serve(child, "unforeseen", timeout_s=30)


def test_while_it_is_being_closed_the_call_waits_for_another_worker(child: ChildProcess[str, str]) -> None:
    child.close()

    with pytest.raises(Transient):
        serve(child, "call", timeout_s=30)
