"""The law of offsets over a broker, members that come, go, are thrown out and die, and work that ends in any order."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipeline.stream import commits
from pipeline.stream import runner as runner_module
from pipeline.stream.memory import MemoryBroker, MemoryConsumer
from pipeline.stream.ports import Message, Record, TopicPartition
from pipeline.stream.runner import Limits, Runner
from pipeline.stream.work_queue import Item

TOPIC, GROUP, PARTITIONS = "calls", "g", 3
Place = tuple[int, int]


@contextmanager
def at_once() -> Iterator[None]:
    """A runner that waits for nothing and commits on every turn."""
    with patch.object(runner_module, "_POLL_S", 0.0), patch.object(commits, "_EVERY_S", 0.0):
        yield


class Member:
    """A runner whose turns and work the test takes itself; the runner's own threads never start."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.consumer: MemoryConsumer = broker.consumer(GROUP)
        limits = Limits(max_in_flight=3)
        self.runner = Runner(self.consumer, [TOPIC], self._never, limits, beat=lambda: None, custody=self)
        self.consumer.subscribe([TOPIC], self.runner._assigned, self.runner._revoked, self.runner._lost)
        self.in_work: list[list[Item]] = []
        real_commit, real_commit_soon = self.consumer.commit, self.consumer.commit_soon

        def commit(offsets: Mapping[TopicPartition, int]) -> None:
            assert set(offsets) <= self.consumer.held
            real_commit(offsets)

        def commit_soon(offsets: Mapping[TopicPartition, int]) -> None:
            assert set(offsets) <= self.consumer.held
            real_commit_soon(offsets)

        self.consumer.commit = commit  # type: ignore[method-assign]  # watched
        self.consumer.commit_soon = commit_soon  # type: ignore[method-assign]  # watched

    def disowned(self, messages: Sequence[Message]) -> None:
        """See `Custody.disowned`: told of what is in work, and of nothing else."""
        assert list(messages) == [item.message for items in self.in_work for item in items if not self.owns(item)]

    def owns(self, item: Item) -> bool:
        return self.runner._trackers.get(item.message.topic_partition) is item.tracker

    def left(self, messages: Sequence[Message]) -> None:
        """See `Custody.left`."""

    def draining(self) -> None:
        """See `Custody.draining`."""

    def _never(self, _messages: Sequence[Message]) -> None:
        raise AssertionError

    def turn(self) -> None:
        self.runner._turn()

    def begin(self) -> None:
        queue = self.runner._queue
        # A record that came again by a new assignment waits for its first coming, which is still being worked on.
        free = any(item.message.key not in queue._busy_keys for item in queue._ready)
        if len(self.in_work) < self.runner._limits.max_in_flight and free:
            took = queue.take()
            assert took is not None
            self.in_work.append(took)

    def leave(self) -> None:
        self.runner._queue.stop()
        self.runner._hand_over()
        self.consumer.close()


class Law(RuleBasedStateMachine):
    @initialize()
    def begin_with_a_member(self) -> None:
        self.patches = at_once()
        self.patches.__enter__()
        self.broker = MemoryBroker(PARTITIONS)
        self.published = 0
        self.finished: set[Place] = set()
        self.members: list[Member] = [Member(self.broker)]
        self.gone: list[Member] = []

    def pick(self, data: st.DataObject, members: list[Member]) -> Member | None:
        return data.draw(st.sampled_from(members)) if members else None

    @rule(count=st.integers(1, 8))
    def publish(self, count: int) -> None:
        # Every key is its own: what the queue does with equal keys is its own test's.
        keys = range(self.published, self.published + count)
        self.broker.producer().publish([Record(TOPIC, b"%d" % key, b"") for key in keys])
        self.published += count

    @rule()
    def join(self) -> None:
        if len(self.members) < 4:
            self.members.append(Member(self.broker))

    @rule(data=st.data())
    def turn(self, data: st.DataObject) -> None:
        if (member := self.pick(data, self.members)) is not None:
            member.turn()

    @rule(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        if (member := self.pick(data, self.members)) is not None:
            member.begin()

    @rule(data=st.data(), how=st.sampled_from(["finish", "postpone", "drop"]))
    def end(self, data: st.DataObject, how: str) -> None:
        """Work ends in any order; also that of members that left, and of partitions that are another's."""
        busy = [member for member in [*self.members, *self.gone] if member.in_work]
        if (member := self.pick(data, busy)) is None:
            return
        items = data.draw(st.sampled_from(member.in_work))
        member.in_work.remove(items)
        self.let_go(member, items, how)

    def let_go(self, member: Member, items: list[Item], how: str) -> None:
        queue = member.runner._queue
        if how == "finish":
            # Effect and events are out before the runner is told.
            self.finished |= {(item.message.partition, item.message.offset) for item in items}
            queue.finish(items)
            return
        pointless = how == "drop" and not any(item.ours for item in items)
        if pointless or not queue.postpone(items, 0.0):
            queue.drop(items)

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        if (member := self.pick(data, self.members)) is not None:
            self.members.remove(member)
            member.leave()
            self.gone.append(member)

    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        if (member := self.pick(data, self.members)) is not None:
            self.members.remove(member)
            if member.consumer in self.broker.group(GROUP).members:
                self.broker.group(GROUP).members.remove(member.consumer)

    @rule(data=st.data())
    def be_thrown_out(self, data: st.DataObject) -> None:
        """Stopped past its session: others take its partitions before it learns of it."""
        in_group = [one for one in self.members if one.consumer in self.broker.group(GROUP).members]
        if (member := self.pick(data, in_group)) is not None:
            member.consumer.evict()

    @rule(down=st.booleans())
    def broker_comes_and_goes(self, *, down: bool) -> None:
        self.broker.down = down
        with patch.object(threading.Event, "wait", lambda *_: True):
            for member in self.members:
                member.turn()
        self.broker.down = False

    @invariant()
    def nothing_unfinished_lies_before_a_commit(self) -> None:
        for partition, committed in self.broker.group(GROUP).committed.items():
            before = {(partition.partition, offset) for offset in range(committed)}
            assert before <= self.finished

    @invariant()
    def nothing_waits_that_is_anothers(self) -> None:
        for member in self.members:
            queue = member.runner._queue
            waiting = [*queue._ready, *(item for later in queue._later for item in later.items)]
            assert all(member.owns(item) for item in waiting)

    def teardown(self) -> None:
        """Whatever happened, one member that goes on brings everything to its end."""
        for member in [*self.members, *self.gone]:
            for items in member.in_work:
                self.let_go(member, items, "finish")
            member.in_work.clear()
        for member in self.members:
            member.leave()
        last = Member(self.broker)
        for _ in range(10 * self.published + 10):
            last.turn()
            last.begin()
            while last.in_work:
                self.let_go(last, last.in_work.pop(), "finish")
        last.turn()
        last.leave()
        ends = {log: len(self.broker.log(log)) for log in self.broker.partitions(TOPIC) if self.broker.log(log)}
        assert {log: at for log, at in self.broker.group(GROUP).committed.items() if at} == ends
        self.patches.__exit__(None, None, None)


TestLaw = pytest.mark.timeout(300)(Law.TestCase)
Law.TestCase.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
