from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.watching.decisions import Decision, Found, Look, Rules, Seen, Stamp, Step, decide

STAMP = Stamp(1000, 1)
OTHER = Stamp(1001, 2)
SIDECAR = Stamp(10, 1)
FOUND = Found(path="a.wav", stamp=STAMP)
RULES = Rules()


def step(found: Found, seen: Seen | None = None, earlier: Look | None = None, rules: Rules = RULES) -> Step:
    return decide(found, seen, earlier, rules).step


@given(st.integers(0, 2**70), st.integers(-(2**70), 2**70))
def test_whatever_a_source_tells_a_stamp_can_be_kept(size_bytes: int, modified_ns: int) -> None:
    told = Stamp.told(size_bytes, modified_ns)
    assert all(-(2**63) <= number < 2**63 for number in (told.size_bytes, told.modified_ns))
    if size_bytes < 2**63 and abs(modified_ns) < 2**63:
        assert told == Stamp(size_bytes, modified_ns)


def test_a_file_is_taken_when_two_looks_saw_the_same() -> None:
    assert step(FOUND) is Step.WAIT
    assert step(FOUND, earlier=Look(OTHER, None)) is Step.WAIT
    assert step(FOUND, earlier=Look(STAMP, None)) is Step.TAKE


def test_a_sidecar_that_is_being_written_is_waited_for() -> None:
    found = replace(FOUND, sidecar=SIDECAR)
    assert step(found, earlier=Look(STAMP, None)) is Step.WAIT
    assert step(found, earlier=Look(STAMP, SIDECAR)) is Step.TAKE


def test_a_marker_says_at_once_that_a_file_is_complete_and_nothing_else_does() -> None:
    rules = Rules(by_marker=True)
    assert step(replace(FOUND, marker_path="a.wav.done"), rules=rules) is Step.TAKE
    assert step(FOUND, earlier=FOUND.look, rules=rules) is Step.WAIT


def test_a_sidecar_can_be_waited_for() -> None:
    rules = Rules(sidecar_required=True)
    assert step(FOUND, earlier=FOUND.look, rules=rules) is Step.WAIT
    found = replace(FOUND, sidecar=SIDECAR)
    assert step(found, earlier=found.look, rules=rules) is Step.TAKE


def test_what_was_taken_is_passed_by_or_moved_away_and_never_taken_again() -> None:
    seen = Seen(state="taken", stamp=STAMP)
    for sidecar in (None, SIDECAR):
        found = replace(FOUND, sidecar=sidecar)
        assert step(found, seen, found.look) is Step.PASS
        assert step(found, seen, found.look, Rules(moves=True)) is Step.MOVE


def test_a_refused_file_is_tried_again_when_it_or_its_sidecar_changed() -> None:
    seen = Seen(state="refused", stamp=STAMP, reason="sidecar_invalid")
    assert step(FOUND, seen, FOUND.look) is Step.PASS
    for changed in (replace(FOUND, stamp=OTHER), replace(FOUND, sidecar=SIDECAR)):
        assert step(changed, seen, changed.look) is Step.TAKE


def test_a_deferred_file_is_tried_again_when_it_is_due_and_never_moved() -> None:
    seen = Seen(state="deferred", stamp=STAMP, reason="quota_exceeded")
    assert step(FOUND, seen, FOUND.look, Rules(moves=True)) is Step.PASS
    assert step(FOUND, replace(seen, due=True), FOUND.look) is Step.TAKE


@pytest.mark.parametrize("fault", ["symlink", "not_a_file", "path_climbs"])
def test_what_may_not_be_read_is_refused_once_and_never_moved(fault: str) -> None:
    found = replace(FOUND, fault=fault)
    assert decide(found, None, None, RULES) == Decision(Step.REFUSE, fault)
    seen = Seen(state="refused", stamp=STAMP, reason=fault)
    assert step(found, seen, None, Rules(moves=True)) is Step.PASS


def test_an_empty_file_is_refused_but_where_files_are_moved_it_is_waited_for() -> None:
    empty = replace(FOUND, stamp=Stamp(0, 1))
    assert decide(empty, None, empty.look, RULES) == Decision(Step.REFUSE, "empty_file")
    assert step(empty, None, empty.look, Rules(moves=True)) is Step.WAIT


_STAMPS = st.builds(Stamp, st.integers(0, 2), st.integers(0, 2))
_LOOKS = st.lists(st.builds(Found, path=st.just("a.wav"), stamp=_STAMPS, sidecar=st.none() | _STAMPS), max_size=30)


@given(_LOOKS, st.builds(Rules, moves=st.booleans(), sidecar_required=st.booleans()))
def test_however_a_file_changes_it_is_taken_only_when_stable_and_once_as_it_is(
    looks: list[Found], rules: Rules
) -> None:
    seen: Seen | None = None
    earlier: Look | None = None
    taken: list[Stamp] = []
    for found in looks:
        decided = decide(found, seen, earlier, rules)
        if decided.step is Step.TAKE:
            assert earlier == found.look
            assert found.stamp.size_bytes > 0
            assert not taken or taken[-1] != found.stamp
            taken.append(found.stamp)
            seen = Seen(state="taken", stamp=found.stamp)
        elif decided.step is Step.REFUSE:
            seen = Seen(state="refused", stamp=found.stamp, sidecar=found.sidecar)
        earlier = found.look
