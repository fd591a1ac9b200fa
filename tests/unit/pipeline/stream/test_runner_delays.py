"""Topics whose records wait."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.stream.memory import EPOCH, MemoryBroker
from pipeline.stream.ports import Message, Record
from pipeline.stream.runner import Limits
from pipeline.testing.waiting import eventually
from tests.unit.pipeline.stream.running import committed, fill, running


class Clock:
    """Stands for the module `time`; begins when every record of the memory broker was published."""

    def __init__(self) -> None:
        self.wall_s = EPOCH.timestamp()
        self.monotonic_s = 0.0

    def time(self) -> float:
        return self.wall_s

    def monotonic(self) -> float:
        return self.monotonic_s

    def passes(self, seconds: float) -> None:
        self.wall_s += seconds
        self.monotonic_s += seconds


def test_records_of_a_delayed_topic_wait_and_others_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = MemoryBroker(partitions=1)
    clock = Clock()
    monkeypatch.setattr("pipeline.stream.runner.time", clock)
    done: list[str] = []

    def process(messages: Sequence[Message]) -> None:
        done.append(messages[0].topic)

    clock.passes(10.0)
    broker.producer().publish([Record("again", b"a", b""), Record("again", b"b", b"")])
    with running(broker, process, Limits(delays_s={"again": 60.0}), topics=["calls", "again"]) as runner:
        eventually(lambda: runner._delays.partitions)
        fill(broker, 3)
        eventually(lambda: done == ["calls"] * 3)
        clock.passes(49.9)
        fill(broker, 1)
        eventually(lambda: done == ["calls"] * 4)
        clock.passes(0.1)
        eventually(lambda: done == ["calls"] * 4 + ["again"] * 2)
        clock.passes(1.0)
        eventually(lambda: committed(broker) == 6)


@pytest.mark.parametrize("wrong_s", [-86_400.0, 86_400.0])
def test_a_delay_is_never_longer_than_said_whatever_clocks_say(monkeypatch: pytest.MonkeyPatch, wrong_s: float) -> None:
    broker = MemoryBroker(partitions=1)
    clock = Clock()
    monkeypatch.setattr("pipeline.stream.runner.time", clock)
    clock.wall_s += wrong_s
    done: list[str] = []

    def process(messages: Sequence[Message]) -> None:
        done.append(messages[0].topic)

    broker.producer().publish([Record("again", b"a", b"")])
    with running(broker, process, Limits(delays_s={"again": 60.0}), topics=["again"]) as runner:
        eventually(lambda: done or runner._delays.partitions)
        clock.passes(60.0)
        eventually(lambda: done == ["again"])
