"""A runner in a thread of its own over the broker in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import Record
from pipeline.stream.runner import Limits, Process, Runner


def fill(broker: MemoryBroker, count: int) -> None:
    broker.producer().publish([Record("calls", f"k{number}".encode(), b"v") for number in range(count)])


def committed(broker: MemoryBroker) -> int:
    return sum(broker.group("g").committed.values())


@contextmanager
def running(
    broker: MemoryBroker, process: Process, limits: Limits, topics: Sequence[str] = ("calls",)
) -> Iterator[Runner]:
    stop = threading.Event()
    runner = Runner(broker.consumer("g"), topics, process, limits, beat=lambda: None)
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    try:
        yield runner
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()
