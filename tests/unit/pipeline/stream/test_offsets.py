from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.stream.offsets import OffsetTracker


@given(st.permutations(range(12)), st.integers(0, 12))
def test_the_committable_offset_never_passes_the_smallest_unfinished_one(order: list[int], count: int) -> None:
    tracker = OffsetTracker()
    for offset in range(12):
        tracker.start(offset)
    for offset in order[:count]:
        tracker.finish(offset)
    smallest = min(order[count:], default=12)
    assert tracker.committable() == (smallest or None)


def test_a_committed_position_is_not_committed_again() -> None:
    tracker = OffsetTracker()
    assert tracker.committable() is None
    tracker.start(7)
    tracker.finish(7)
    assert tracker.committable() == 8
    tracker.committed(8)
    assert tracker.committable() is None


def test_gaps_in_the_log_are_no_hindrance() -> None:
    tracker = OffsetTracker()
    for offset in (3, 9):
        tracker.start(offset)
    tracker.finish(3)
    assert tracker.committable() == 9
    assert tracker.in_flight == 1
