from __future__ import annotations

import threading

from pipeline.stream.memory import EPOCH
from pipeline.stream.offsets import OffsetTracker
from pipeline.stream.ports import Message
from pipeline.stream.work_queue import Item, WorkQueue


def item(offset: int, key: bytes | None = None, tracker: OffsetTracker | None = None) -> Item:
    message = Message("t", 0, offset, key, b"", (), EPOCH)
    return Item(message, tracker or OffsetTracker())


def take(queue: WorkQueue) -> list[int]:
    items = queue.take()
    assert items is not None
    return [one.message.offset for one in items]


def test_what_is_postponed_comes_after_what_waits() -> None:
    queue = WorkQueue(batch_max=1)
    queue.add(item(offset) for offset in range(3))
    first = queue.take()
    assert first is not None
    assert queue.postpone(first, 0.0)
    assert [take(queue) for _ in range(3)] == [[1], [2], [0]]


def test_a_busy_key_lets_others_pass_and_keeps_its_own_order() -> None:
    queue = WorkQueue(batch_max=1)
    queue.add([item(0, b"a"), item(1, b"a"), item(2, b"b"), item(3, b"a")])
    first = queue.take()
    assert first is not None
    assert take(queue) == [2]
    queue.finish(first)
    assert take(queue) == [1]


def test_a_batch_may_hold_one_key_several_times_but_none_that_is_busy() -> None:
    queue = WorkQueue(batch_max=3)
    queue.add([item(0, b"a"), item(1, b"a"), item(2, b"b"), item(3, b"b"), item(4, b"c")])
    assert take(queue) == [0, 1, 2]
    assert take(queue) == [4]


def test_records_without_a_key_are_strangers_to_each_other() -> None:
    queue = WorkQueue(batch_max=1)
    queue.add([item(0), item(1)])
    assert [take(queue), take(queue)] == [[0], [1]]


def test_whoever_waits_for_work_gets_what_was_postponed_when_its_time_comes() -> None:
    queue = WorkQueue(batch_max=1)
    queue.add([item(0)])
    first = queue.take()
    assert first is not None
    got: list[list[int]] = []
    waiting = threading.Thread(target=lambda: got.append(take(queue)))
    waiting.start()
    queue.postpone(first, 0.01)
    waiting.join(10)
    assert got == [[0]]


def test_a_stopped_queue_gives_nothing_and_takes_nothing_back() -> None:
    queue = WorkQueue(batch_max=1)
    queue.add([item(0), item(1)])
    first = queue.take()
    assert first is not None
    queue.stop()
    assert queue.take() is None
    assert not queue.postpone(first, 0.0)
    assert queue.in_work() == first


def test_a_pause_ends_when_nothing_begins_any_more() -> None:
    queue = WorkQueue(batch_max=1)
    ended: list[bool] = []
    pausing = threading.Thread(target=lambda: ended.append(queue.pause([item(0)], 60)))
    pausing.start()
    queue.stop()
    pausing.join(10)
    assert ended == [False]


def test_work_of_an_assignment_that_is_over_is_not_reported_as_finished() -> None:
    queue = WorkQueue(batch_max=1)
    tracker = OffsetTracker()
    queue.add([item(0, tracker=tracker)])
    begun = queue.take()
    assert begun is not None
    tracker.over = True
    assert queue.drop_disowned() == begun
    queue.finish(begun)
    assert queue.finished() == []
    assert queue.await_idle(0)
