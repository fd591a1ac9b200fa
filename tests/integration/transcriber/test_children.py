from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from pipeline.errors import Postponed, WorkerCrashed
from pipeline.isolation import ChildFailed, ChildPool, Limits
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
def children(marker: Path) -> Iterator[ChildPool[str, str]]:
    pool: ChildPool[str, str] = ChildPool(
        1, partial(crash_while_there, marker), name="test-child", limits=Limits(), start_timeout_s=30
    )
    yield pool
    pool.close()


def ask(children: ChildPool[str, str], request: str) -> str:
    return serve(children, request, timeout_s=30, still_wanted=lambda: None)


def test_the_first_crash_is_tried_again(children: ChildPool[str, str], marker: Path) -> None:
    marker.write_text("once")

    assert ask(children, "call") == "CALL"


def test_the_second_crash_is_the_calls_fault_and_the_next_call_is_served(
    children: ChildPool[str, str], marker: Path
) -> None:
    marker.write_text("once\ntwice")

    with pytest.raises(WorkerCrashed):
        ask(children, "call")

    assert ask(children, "another") == "ANOTHER"


def test_what_nobody_foresaw_is_passed_on(children: ChildPool[str, str]) -> None:
    with pytest.raises(ChildFailed):
        ask(children, "unforeseen")


def test_while_it_is_being_closed_the_call_waits_for_another_worker(children: ChildPool[str, str]) -> None:
    children.close()

    with pytest.raises(Postponed):
        ask(children, "call")


def test_a_call_that_is_not_wanted_any_more_is_not_sent(children: ChildPool[str, str], marker: Path) -> None:
    marker.write_text("once")

    def not_wanted() -> None:
        raise Postponed("the call is another's now")

    with pytest.raises(Postponed, match="another's"):
        serve(children, "call", timeout_s=30, still_wanted=not_wanted)

    assert marker.read_text() == "once"
