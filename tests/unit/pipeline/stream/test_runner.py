from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from pipeline.errors import Fatal, Postponed, Transient
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import Message, Record, TopicPartition
from pipeline.stream.runner import Limits, Runner
from pipeline.testing.waiting import eventually
from tests.unit.pipeline.stream.running import committed, fill, running


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
