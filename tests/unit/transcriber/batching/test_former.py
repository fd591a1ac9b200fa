from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from services.transcriber.batching.courses import Attempt, Kind
from services.transcriber.batching.former import PRIORITIES, Former, Waiting
from services.transcriber.domain.hearing import Hearing, Passage
from services.transcriber.fakes import window

LINGER_S = 1.0
_numbers: Iterator[int] = count()


class Queue:
    """A former driven by hand; what it gives is told by call."""

    def __init__(self) -> None:
        self.former: Former[int] = Former(LINGER_S)
        self.now_s = 100.0

    def add(
        self,
        call: str,
        *,
        windows: int = 1,
        duration_s: float = 10.0,
        priority: str = "normal",
        language: str = "ru",
        kind: Kind = Kind.FIRST,
        axis_s: float = 30.0,
    ) -> None:
        for _ in range(windows):
            passage = Passage.whole(window(0, (0.0, duration_s), call=call))
            self.former.add(
                Waiting(
                    owner=next(_numbers),
                    attempt=Attempt(passage, kind),
                    hearing=Hearing(language=language, priority=priority),
                    axis_s=axis_s,
                    call=call,
                    call_s=windows * duration_s,
                    tag=self.former.tag(call, duration_s),
                    due_s=self.former.due_s(self.now_s),
                )
            )

    def take(self, batch_size: int = 4, *, is_idle: bool = True) -> list[str]:
        return [each.call for each in self.former.take(self.now_s, batch_size=batch_size, is_idle=is_idle)]

    def take_small(self, call_s: float, axis_s: float = 30.0) -> list[str]:
        return [each.call for each in self.former.take_small(call_s, axis_s)]


def test_windows_of_different_calls_share_a_batch() -> None:
    queue = Queue()
    for call in "abcde":
        queue.add(call)

    assert queue.take() == ["a", "b", "c", "d"]
    assert queue.take() == ["e"]
    assert queue.take() == []


def test_a_call_that_comes_late_does_not_wait_behind_a_long_one() -> None:
    queue = Queue()
    queue.add("long", windows=100, duration_s=20.0)
    assert queue.take() == ["long"] * 4
    queue.add("short", windows=2, duration_s=5.0)

    assert queue.take()[:2] == ["short", "short"]


def test_calls_of_one_priority_get_speech_in_equal_shares() -> None:
    queue = Queue()
    queue.add("halves", windows=40, duration_s=5.0)
    queue.add("wholes", windows=20, duration_s=10.0)
    given = [call for _ in range(6) for call in queue.take(batch_size=5)]

    assert given.count("halves") == 20
    assert given.count("wholes") == 10


def test_the_urgent_go_first_whatever_else_is_full_or_due() -> None:
    queue = Queue()
    queue.add("bulk", windows=8, priority="bulk")
    queue.add("normal", windows=8, priority="normal")
    queue.now_s += 10 * LINGER_S
    queue.add("interactive", priority="interactive", axis_s=10.0)

    assert queue.take() == ["interactive"]
    assert queue.take() == ["normal"] * 4


def test_an_unknown_priority_goes_last() -> None:
    queue = Queue()
    queue.add("unknown", priority="yesterday")
    queue.add("bulk", priority="bulk")

    assert queue.take(batch_size=1) == ["bulk"]


def test_what_cannot_be_heard_together_is_not_batched() -> None:
    queue = Queue()
    queue.add("a")
    queue.add("b", language="en")
    queue.add("c", kind=Kind.WHOLE)
    queue.add("d", axis_s=10.0)
    queue.add("e")

    assert queue.take() == ["a", "e"]
    assert sorted(queue.take() + queue.take() + queue.take()) == ["b", "c", "d"]


def test_a_full_batch_goes_before_one_that_may_yet_fill_and_what_is_due_before_both() -> None:
    queue = Queue()
    queue.add("early", axis_s=10.0)
    queue.now_s += LINGER_S / 2
    queue.add("full", windows=8)

    assert queue.take() == ["full"] * 4
    queue.now_s += LINGER_S / 2
    assert queue.take() == ["early"]


def test_an_idle_slot_waits_for_nothing() -> None:
    queue = Queue()
    queue.add("a")

    assert queue.take() == ["a"]


def test_a_batch_for_later_waits_until_it_is_full_or_due() -> None:
    queue = Queue()
    queue.add("a", windows=3)
    assert queue.take(is_idle=False) == []
    assert queue.former.ready_s(queue.now_s, 4) == queue.now_s + LINGER_S
    queue.now_s += LINGER_S
    assert queue.former.ready_s(queue.now_s, 4) == queue.now_s
    assert queue.take(is_idle=False) == ["a"] * 3
    queue.add("b", windows=4)
    assert queue.former.ready_s(queue.now_s, 4) == queue.now_s
    assert queue.take(is_idle=False) == ["b"] * 4
    assert queue.former.ready_s(queue.now_s, 4) is None


def test_slots_share_what_is_left_down_to_the_least_that_pays() -> None:
    queue = Queue()
    queue.add("a", windows=5)
    queue.add("b", windows=4, axis_s=10.0)

    assert queue.former.share(slots=2, least=1) == 5
    assert queue.former.share(slots=4, least=1) == 3
    assert queue.former.share(slots=4, least=4) == 4


def test_what_is_withdrawn_is_given_to_nobody() -> None:
    queue = Queue()
    queue.add("a", windows=3)
    queue.add("b", axis_s=10.0)
    queue.former.withdraw(lambda each: each.call != "a")

    assert len(queue.former) == 1
    assert queue.take() == ["b"]


_items = st.tuples(
    st.sampled_from("abcdef"),
    st.sampled_from(PRIORITIES),
    st.sampled_from((10.0, 15.0, 30.0)),
    st.floats(1.0, 28.0),
)


@given(items=st.lists(_items, max_size=40), batch_size=st.integers(1, 8))
def test_all_that_is_put_in_comes_out_once_and_batches_are_of_one_kind(
    items: list[tuple[str, str, float, float]], batch_size: int
) -> None:
    queue = Queue()
    for call, priority, axis_s, duration_s in items:
        queue.add(call, priority=priority, axis_s=axis_s, duration_s=duration_s)
    taken: list[Waiting[int]] = []
    while len(queue.former):
        batch = queue.former.take(queue.now_s, batch_size=batch_size, is_idle=True)
        assert 0 < len(batch) <= batch_size
        assert len({each.key for each in batch}) == 1
        taken += batch

    assert len({each.owner for each in taken}) == len(taken) == len(items)


def test_what_is_small_is_taken_past_what_is_not() -> None:
    queue = Queue()
    queue.add("long", windows=8)
    queue.add("small", windows=2, axis_s=10.0)
    queue.add("also", axis_s=10.0)

    assert queue.take_small(20.0) == ["small", "also", "small"]
    assert queue.take_small(20.0) == []
    assert queue.take() == ["long"] * 4


def test_one_passage_is_taken_however_little_room_there_is() -> None:
    queue = Queue()
    queue.add("small", windows=2)

    assert queue.take_small(20.0, axis_s=10.0) == ["small"]


def test_what_is_small_does_not_pass_a_call_of_a_higher_priority() -> None:
    queue = Queue()
    queue.add("long", windows=8, priority="interactive")
    queue.add("small", priority="bulk")

    assert queue.take_small(20.0) == []
