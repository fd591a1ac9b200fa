from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from pipeline.errors import Fatal, Transient
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import Message, Record, TopicPartition
from pipeline.stream.runner import Limits, Process, Runner
from pipeline.testing.waiting import eventually


def fill(broker: MemoryBroker, count: int) -> None:
    broker.producer().publish([Record("calls", f"k{number}".encode(), b"v") for number in range(count)])


def committed(broker: MemoryBroker) -> int:
    return sum(broker.group("g").committed.values())


@contextmanager
def running(broker: MemoryBroker, process: Process, limits: Limits) -> Iterator[Runner]:
    stop = threading.Event()
    runner = Runner(broker.consumer("g"), ["calls"], process, limits, beat=lambda: None)
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    try:
        yield runner
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def test_every_message_is_worked_on_once_and_committed() -> None:
    broker = MemoryBroker()
    seen: list[Message] = []
    fill(broker, 50)

    def process(messages: Sequence[Message]) -> None:
        seen.extend(messages)

    with running(broker, process, Limits(max_in_flight=4)):
        eventually(lambda: committed(broker) == 50)
    assert sorted((m.partition, m.offset) for m in seen) == sorted(
        (m.partition, m.offset) for m in broker.messages("calls")
    )


def test_batches_hold_at_most_what_was_asked_for() -> None:
    broker = MemoryBroker()
    sizes: list[int] = []
    fill(broker, 30)

    def process(messages: Sequence[Message]) -> None:
        sizes.append(len(messages))

    with running(broker, process, Limits(batch_max=8)):
        eventually(lambda: committed(broker) == 30)
    assert max(sizes) == 8
    assert sum(sizes) == 30


def test_transient_tries_the_same_message_again_and_others_go_on() -> None:
    broker = MemoryBroker()
    fill(broker, 20)
    stuck, release, done = TopicPartition("calls", 0), threading.Event(), []

    def process(messages: Sequence[Message]) -> None:
        (message,) = messages
        if message.topic_partition == stuck and message.offset == 0 and not release.is_set():
            raise Transient("peer is away")
        done.append(message)

    with running(broker, process, Limits(max_in_flight=2, first_backoff_s=0.01)):
        eventually(lambda: len(done) == 19)
        assert broker.group("g").committed.get(stuck, 0) == 0
        release.set()
        eventually(lambda: committed(broker) == 20)


def test_fatal_ends_the_loop_and_leaves_the_offset() -> None:
    broker = MemoryBroker()
    fill(broker, 1)

    def process(_messages: Sequence[Message]) -> None:
        raise Fatal("broken")

    runner = Runner(broker.consumer("g"), ["calls"], process, Limits(), beat=lambda: None)
    with pytest.raises(Fatal, match="broken"):
        runner.run(threading.Event())
    assert committed(broker) == 0


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


def test_the_broker_away_is_waited_for() -> None:
    broker = MemoryBroker()
    seen: list[Message] = []
    broker.down = True

    def process(messages: Sequence[Message]) -> None:
        seen.extend(messages)

    with running(broker, process, Limits(first_backoff_s=0.01)):
        broker.down = False
        fill(broker, 3)
        eventually(lambda: len(seen) == 3)
