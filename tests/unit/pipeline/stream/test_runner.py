from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from pipeline.errors import Fatal, Postponed, Transient
from pipeline.stream.memory import EPOCH, MemoryBroker
from pipeline.stream.ports import Message, Record, TopicPartition
from pipeline.stream.runner import Limits, Process, Runner
from pipeline.testing.waiting import eventually


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


def test_two_records_of_one_key_are_never_worked_on_at_once() -> None:
    broker = MemoryBroker(partitions=2)
    busy: set[bytes] = set()
    together: list[bytes] = []
    done: list[Message] = []
    broker.producer().publish([Record(topic, b"k%d" % (n % 3), b"") for n in range(30) for topic in ("calls", "again")])

    def process(messages: Sequence[Message]) -> None:
        [message] = messages
        key = message.key or b""
        if key in busy:
            together.append(key)
        busy.add(key)
        threading.Event().wait(0.001)  # gives others the chance to go wrong
        busy.discard(key)
        done.append(message)

    with running(broker, process, Limits(max_in_flight=8), topics=["calls", "again"]):
        eventually(lambda: len(done) == 60)
    assert together == []


def test_postponed_work_holds_back_its_offset_until_its_time_has_come() -> None:
    broker = MemoryBroker(partitions=1)
    fill(broker, 3)
    may = threading.Event()

    def process(messages: Sequence[Message]) -> None:
        [message] = messages
        if message.offset == 1 and not may.is_set():
            raise Postponed("another may be working on it", retry_after_s=0.01)

    with running(broker, process, Limits(max_in_flight=2)):
        eventually(lambda: committed(broker) == 1)
        may.set()
        eventually(lambda: committed(broker) == 3)


def test_many_postponed_records_keep_the_runner_from_taking_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.stream.runner._ROUNDS_HELD", 4)
    broker = MemoryBroker(partitions=1)
    fill(broker, 50)
    seen: set[int] = set()
    may = threading.Event()

    def process(messages: Sequence[Message]) -> None:
        seen.add(messages[0].offset)
        if not may.is_set():
            raise Postponed("not now", retry_after_s=0.02)

    with running(broker, process, Limits(max_in_flight=2)) as runner:
        eventually(lambda: runner._full and len(seen) > 4)
        assert len(seen) <= 10
        may.set()
        eventually(lambda: committed(broker) == 50)


def test_a_bug_ends_the_loop_by_its_type_and_says_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    broker = MemoryBroker()
    fill(broker, 1)
    said = "Иванов, +79991234567"

    def process(_messages: Sequence[Message]) -> None:
        raise ZeroDivisionError(said)

    runner = Runner(broker.consumer("g"), ["calls"], process, Limits(), beat=lambda: None)
    with pytest.raises(Fatal, match="the work raised ZeroDivisionError"):
        runner.run(threading.Event())
    assert committed(broker) == 0
    assert "Иванов" not in capsys.readouterr().out


def test_even_a_thread_that_exits_is_no_silence() -> None:
    broker = MemoryBroker()
    fill(broker, 1)

    def process(_messages: Sequence[Message]) -> None:
        raise SystemExit

    runner = Runner(broker.consumer("g"), ["calls"], process, Limits(), beat=lambda: None)
    with pytest.raises(Fatal, match="SystemExit"):
        runner.run(threading.Event())


def test_fatal_beside_finished_work_commits_what_lies_before_it() -> None:
    broker = MemoryBroker(partitions=1)
    fill(broker, 4)
    others = threading.Semaphore(0)

    def process(messages: Sequence[Message]) -> None:
        [message] = messages
        if message.offset == 2:
            for _ in range(3):
                assert others.acquire(timeout=10)
            raise Fatal("broken")
        others.release()

    runner = Runner(broker.consumer("g"), ["calls"], process, Limits(max_in_flight=4), beat=lambda: None)
    with pytest.raises(Fatal, match="broken"):
        runner.run(threading.Event())
    assert committed(broker) == 2


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


def test_polling_goes_on_however_long_the_work_takes() -> None:
    broker = MemoryBroker(partitions=1)
    fill(broker, 9)
    release = threading.Event()
    polled: list[int] = []
    consumer = broker.consumer("g")
    real = consumer.poll

    def poll(timeout_s: float, max_messages: int) -> list[Message]:
        polled.append(max_messages)
        assert timeout_s < 1
        return real(timeout_s, max_messages)

    consumer.poll = poll  # type: ignore[method-assign]  # counted

    def process(_messages: Sequence[Message]) -> None:
        assert release.wait(10)

    stop = threading.Event()
    runner = Runner(consumer, ["calls"], process, Limits(), beat=lambda: None)
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    eventually(lambda: runner._full)
    before = len(polled)
    eventually(lambda: len(polled) > before + 5)
    assert len(runner._queue.in_work()) == 1
    assert runner._queue.waiting() <= 1
    release.set()
    eventually(lambda: committed(broker) == 9)
    stop.set()
    thread.join(10)
