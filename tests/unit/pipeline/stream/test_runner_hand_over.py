"""What a drain and a partition that goes away do to work under way."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from pipeline.errors import Postponed, Transient
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import Message, TopicPartition
from pipeline.stream.runner import Limits, Runner
from pipeline.testing.waiting import eventually
from tests.unit.pipeline.stream.running import committed, fill, running


def test_a_drain_waits_for_work_in_flight_and_commits_it() -> None:
    broker = MemoryBroker()
    fill(broker, 1)
    begun, release, stop = threading.Event(), threading.Event(), threading.Event()

    def process(_messages: Sequence[Message]) -> None:
        begun.set()
        assert release.wait(10)

    runner = Runner(broker.consumer("g"), ["calls"], process, Limits(), beat=lambda: None)
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    assert begun.wait(10)
    stop.set()
    release.set()
    thread.join(10)
    assert committed(broker) == 1


def test_a_drain_leaves_waiting_work_uncommitted() -> None:
    broker = MemoryBroker()
    fill(broker, 1)
    tried = threading.Event()

    def process(_messages: Sequence[Message]) -> None:
        tried.set()
        raise Transient("peer is away", retry_after_s=60)

    with running(broker, process, Limits(drain_timeout_s=0.05)):
        assert tried.wait(10)
    assert committed(broker) == 0


def test_work_of_an_old_assignment_does_not_move_the_new_owners_offset() -> None:
    broker = MemoryBroker()
    fill(broker, 8)
    begun, release = threading.Event(), threading.Event()

    def process(_messages: Sequence[Message]) -> None:
        begun.set()
        assert release.wait(10)

    with running(broker, process, Limits(max_in_flight=8)) as runner:
        assert begun.wait(10)
        newcomer = broker.consumer("g")
        newcomer.subscribe(["calls"], lambda _: None, lambda _: None)
        taken = eventually(lambda: newcomer.poll(0.01, 100))
        eventually(lambda: len(runner._trackers) == 2)
        release.set()
        eventually(lambda: committed(broker) > 0)
        theirs = {message.topic_partition for message in taken}
        assert all(broker.group("g").committed.get(partition) is None for partition in theirs)
        newcomer.close()


class Told:
    """A custody that notes what it is told."""

    def __init__(self) -> None:
        self.disowned_offsets: set[int] = set()
        self.left_offsets: list[int] = []
        self.drains = 0

    def disowned(self, messages: Sequence[Message]) -> None:
        self.disowned_offsets |= {message.offset for message in messages}

    def draining(self) -> None:
        self.drains += 1

    def left(self, messages: Sequence[Message]) -> None:
        self.left_offsets += [message.offset for message in messages]


def test_a_drain_tells_of_what_it_leaves_and_begins_nothing() -> None:
    broker = MemoryBroker(partitions=1)
    fill(broker, 3)
    begun: list[int] = []
    hanging, stop, told = threading.Semaphore(0), threading.Event(), Told()
    never = threading.Event()

    def process(messages: Sequence[Message]) -> None:
        begun.append(messages[0].offset)
        hanging.release()
        never.wait(20)

    limits = Limits(max_in_flight=2, drain_timeout_s=0.05)
    runner = Runner(broker.consumer("g"), ["calls"], process, limits, beat=lambda: None, custody=told)
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    for _ in range(2):
        assert hanging.acquire(timeout=10)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()  # the work that hangs keeps nobody
    assert (sorted(begun), sorted(told.left_offsets), told.drains) == ([0, 1], [0, 1], 1)
    assert committed(broker) == 0
    never.set()


def test_work_postponed_while_draining_is_left() -> None:
    broker = MemoryBroker(partitions=1)
    fill(broker, 1)
    begun, stop, told = threading.Event(), threading.Event(), Told()

    def process(_messages: Sequence[Message]) -> None:
        begun.set()
        eventually(lambda: told.drains)
        raise Postponed("the worker drains")

    runner = Runner(broker.consumer("g"), ["calls"], process, Limits(), beat=lambda: None, custody=told)
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    assert begun.wait(10)
    stop.set()
    thread.join(10)
    assert told.left_offsets == [0]
    assert committed(broker) == 0


@pytest.mark.parametrize("error", [Transient("away", retry_after_s=60), Postponed("later", retry_after_s=60)])
def test_waiting_work_whose_partition_went_away_is_dropped_at_once(error: Transient) -> None:
    broker = MemoryBroker(partitions=1)
    fill(broker, 1)
    tried: list[Message] = []
    told = Told()

    def process(messages: Sequence[Message]) -> None:
        tried.extend(messages)
        raise error

    consumer = broker.consumer("g")
    stop = threading.Event()
    runner = Runner(consumer, ["calls"], process, Limits(), beat=lambda: None, custody=told)
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    eventually(lambda: tried)
    eventually(lambda: isinstance(error, Postponed) or runner._queue.in_work())
    with broker.changed:
        consumer.evict()
    eventually(lambda: len(tried) == 2)  # it came again, by the new assignment
    stop.set()
    thread.join(10)
    assert (told.left_offsets[:1] == [0]) == (not isinstance(error, Postponed))


def test_finished_work_is_not_committed_by_a_member_that_was_thrown_out() -> None:
    broker = MemoryBroker(partitions=1)
    fill(broker, 1)
    begun, release = threading.Event(), threading.Event()

    def process(_messages: Sequence[Message]) -> None:
        begun.set()
        assert release.wait(10)

    slow = broker.consumer("g")
    stop = threading.Event()
    told = Told()
    runner = Runner(slow, ["calls"], process, Limits(), beat=lambda: None, custody=told)
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    assert begun.wait(10)
    other = broker.consumer("g")
    with broker.changed:  # stopped past its session: another has the partition before it polls again
        slow.evict()
        other.subscribe(["calls"], lambda _: None, lambda _: None)
        assert other.poll(0, 1)
    eventually(lambda: told.disowned_offsets == {0})
    release.set()
    stop.set()
    thread.join(10)
    assert committed(broker) == 0
    other.commit({TopicPartition("calls", 0): 1})
    assert committed(broker) == 1
