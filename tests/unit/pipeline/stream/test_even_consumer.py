from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from pipeline.errors import Transient
from pipeline.stream.kafka import EvenConsumer
from pipeline.stream.ports import AssignmentListener, Message, TopicPartition

CALLS, RETRIES = TopicPartition("calls", 0), TopicPartition("calls.retry", 0)


@dataclass
class Scripted:
    """A member that has records, or an error, and remembers what it was asked."""

    log: TopicPartition
    waiting: int = 0
    error: Exception | None = None
    asked: list[object] = field(default_factory=list)

    def subscribe(
        self,
        topics: Sequence[str],
        on_assign: AssignmentListener,
        on_revoke: AssignmentListener,
        on_lost: AssignmentListener | None = None,
    ) -> None:
        self.asked.append(("subscribe", list(topics)))
        on_assign([self.log])
        on_revoke([])
        (on_lost or on_revoke)([])

    def poll(self, timeout_s: float, max_messages: int) -> list[Message]:
        self.asked.append(("poll", timeout_s))
        if self.error is not None:
            raise self.error
        count = min(self.waiting, max_messages)
        self.waiting -= count
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        return [Message(self.log.topic, self.log.partition, each, None, None, (), moment) for each in range(count)]

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        self.asked.append(("pause", list(partitions)))

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        self.asked.append(("resume", list(partitions)))

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.asked.append(("commit", dict(offsets)))

    def commit_soon(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.asked.append(("commit_soon", dict(offsets)))

    def confirmed(self) -> dict[TopicPartition, int]:
        return {self.log: 1}

    def close(self, within_s: float = 1.0) -> None:
        self.asked.append(("close", within_s > 0))


class Pair:
    def __init__(self, *, calls: int = 0, retries: int = 0) -> None:
        self.others, self.rare = Scripted(CALLS, calls), Scripted(RETRIES, retries)
        self.consumer = EvenConsumer(self.rare, self.others, {RETRIES.topic})

    def poll(self, max_messages: int) -> list[str]:
        return [message.topic for message in self.consumer.poll(0.1, max_messages)]


def test_a_flood_of_what_is_rare_gets_half_of_the_room() -> None:
    pair = Pair(calls=100, retries=100)

    assert pair.poll(10) == [RETRIES.topic] * 5 + [CALLS.topic] * 5
    assert pair.poll(1) == [RETRIES.topic]


def test_it_waits_for_what_is_common_alone_and_not_while_it_has_something() -> None:
    pair = Pair()
    assert pair.poll(10) == []
    assert (pair.rare.asked, pair.others.asked) == ([("poll", 0.0)], [("poll", 0.1)])

    pair.rare.waiting = 1
    assert pair.poll(10) == [RETRIES.topic]
    assert pair.others.asked[-1] == ("poll", 0.0)


def test_what_was_taken_reaches_the_caller_before_the_error() -> None:
    pair = Pair(retries=3)
    pair.others.error = Transient("away")

    assert pair.poll(10) == [RETRIES.topic] * 3
    with pytest.raises(Transient):
        pair.poll(10)
    pair.others.error = None
    assert pair.poll(10) == []


def test_each_is_asked_for_its_own() -> None:
    pair = Pair()
    owned: list[TopicPartition] = []
    pair.consumer.subscribe([CALLS.topic, RETRIES.topic], owned.extend, lambda _: None)
    pair.consumer.pause([CALLS, RETRIES])
    pair.consumer.resume([CALLS])
    pair.consumer.commit({RETRIES: 7})
    pair.consumer.commit_soon({CALLS: 8, RETRIES: 9})
    pair.consumer.close()

    assert sorted(owned) == [CALLS, RETRIES]
    assert pair.consumer.confirmed() == {CALLS: 1, RETRIES: 1}
    assert pair.others.asked == [
        ("subscribe", [CALLS.topic]),
        ("pause", [CALLS]),
        ("resume", [CALLS]),
        ("commit_soon", {CALLS: 8}),
        ("close", True),
    ]
    assert pair.rare.asked == [
        ("subscribe", [RETRIES.topic]),
        ("pause", [RETRIES]),
        ("commit", {RETRIES: 7}),
        ("commit_soon", {RETRIES: 9}),
        ("close", True),
    ]
