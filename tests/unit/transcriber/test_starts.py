from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transcriber.domain.starts import (
    CRASHES_ALONE,
    CRASHES_TOGETHER,
    STARTS_TOGETHER,
    Course,
    course,
    starts_in,
)


def after(*ended: str) -> Course:
    """How a call is taken after starts that ended so: `crashed` or `released`."""
    names = [f"start-{number}" for number in range(1, len(ended) + 1)]
    names += [f"start-{number}.released" for number, how in enumerate(ended, 1) if how == "released"]
    return course(starts_in(names))


def test_markers_are_told_from_results() -> None:
    names = ["start-1", "start-1.released", "start-2", "start-2.alive-7", "start-12"]
    others = ["start-0", "start-1.alive", "start-1.released.txt", "0" * 64 + "/transcript.json", "start-x", "start-01"]
    found = starts_in([*names, *others])

    assert found.begun == {1, 2, 12}
    assert found.released == {1}
    assert found.unreleased == {2, 12}
    assert found.signs == set(names)
    assert found.next_number == 13


def test_a_sign_of_life_stands_for_its_start() -> None:
    assert starts_in(["start-3.alive-1"]).unreleased == {3}


def test_nobody_began_yet() -> None:
    assert starts_in([]).next_number == 1
    assert after() is Course.TOGETHER


@pytest.mark.parametrize(
    ("ended", "how"),
    [
        (["crashed"], Course.TOGETHER),
        (["crashed"] * 2, Course.ALONE),
        (["crashed"] * 3, Course.ALONE),
        (["crashed"] * 4, Course.GIVE_UP),
        (["released"] * 5, Course.TOGETHER),
        (["released"] * 6, Course.ALONE),
        (["released"] * 7 + ["crashed"], Course.ALONE),
        (["released"] * 6 + ["crashed"] * 2, Course.GIVE_UP),
        (["crashed", "released", "crashed", "released"], Course.ALONE),
        (["crashed", "crashed", "released", "crashed"], Course.ALONE),
        (["crashed", "crashed", "released", "crashed", "crashed"], Course.GIVE_UP),
    ],
)
def test_how_earlier_starts_ended_decides(ended: list[str], how: Course) -> None:
    assert after(*ended) is how


@given(st.lists(st.sampled_from(["crashed", "released"]), max_size=12))
def test_a_call_is_given_up_after_two_crashes_alone_and_never_sooner(ended: list[str]) -> None:
    crashes_alone = 0
    for lived, how in enumerate(ended):
        alone = after(*ended[:lived]) is not Course.TOGETHER
        crashes_alone += alone and how == "crashed"
    assert (after(*ended) is Course.GIVE_UP) == (crashes_alone >= CRASHES_ALONE)


@given(st.lists(st.sampled_from(["crashed", "released"]), max_size=12))
def test_whoever_crashes_always_comes_to_an_end(ended: list[str]) -> None:
    more = 0
    while after(*ended, *["crashed"] * more) is not Course.GIVE_UP:
        more += 1
    assert more <= CRASHES_TOGETHER + CRASHES_ALONE
    assert len(ended) < STARTS_TOGETHER or more <= CRASHES_ALONE


@given(st.lists(st.booleans(), min_size=1, max_size=9), st.integers(1, 5), st.randoms(use_true_random=False))
def test_only_those_who_crash_are_given_up(poisoned: list[bool], side_by_side: int, chance: Random) -> None:
    """Workers die with all that they have begun; who is taken together with poison is not held to account for it."""
    starts = dict.fromkeys(range(len(poisoned)), 0)
    given_up: set[int] = set()
    waiting = list(starts)
    while waiting:
        chance.shuffle(waiting)
        how = {call: after(*["crashed"] * starts[call]) for call in waiting}
        given_up |= {call for call in waiting if how[call] is Course.GIVE_UP}
        waiting = [call for call in waiting if call not in given_up]
        alone = [call for call in waiting if how[call] is Course.ALONE][:1]
        begun = alone or waiting[:side_by_side]
        if any(poisoned[call] for call in begun):
            starts |= {call: starts[call] + 1 for call in begun}
        else:
            waiting = [call for call in waiting if call not in begun]

    assert given_up == {call for call, poison in enumerate(poisoned) if poison}
    assert all(count <= CRASHES_TOGETHER + CRASHES_ALONE for count in starts.values())
