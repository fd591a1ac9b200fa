from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from pipeline.errors import Fatal, Transient
from services.ingest.workers import Worker


def ended(work: Callable[[], None]) -> Worker:
    """A worker that has run, and has told the process to stop."""
    stop = threading.Event()
    worker = Worker("relay", work, stop)
    worker.thread.start()
    worker.thread.join(10)
    assert stop.is_set()
    return worker


def test_a_worker_that_ends_well_says_nothing() -> None:
    ended(lambda: None).tell()


def test_a_worker_that_fails_ends_the_process_with_what_it_failed_with() -> None:
    def work() -> None:
        raise Transient("away")

    with pytest.raises(Transient, match="away"):
        ended(work).tell()


def test_a_bug_is_told_by_its_type_alone() -> None:
    def work() -> None:
        raise KeyError("+7 900 000-00-00")

    with pytest.raises(Fatal, match=r"^relay failed: KeyError$"):
        ended(work).tell()
