from __future__ import annotations

from dataclasses import replace

import pytest

from services.transcriber.batching.courses import Attempt, Course, Kind, Ladder
from services.transcriber.domain.hearing import Heard, Search, TimeAxis
from services.transcriber.domain.timeline import Span
from services.transcriber.domain.windows import GivenUp, HeardWord
from services.transcriber.fakes import window

CUT_AXIS = TimeAxis(step_s=5.0, pause_s=1.0, least_s=10.0)
LADDER = Ladder(Search(beam_size=5), CUT_AXIS)
LOOP = Heard(text="да " * 100, hit_cap=True)


def heard(text: str, logprob: float = -0.2) -> Heard:
    words = tuple(HeardWord(f" {word}", float(index), index + 1.0, 0.9) for index, word in enumerate(text.split()))
    return Heard(words=words, text=text, avg_logprob=logprob)


def course(seconds: float = 12.0, ladder: Ladder = LADDER) -> Course:
    return Course(window(0, (0.0, seconds)), ladder)


def texts(of: Course) -> list[str]:
    return [word.text.strip() for word in of.result().words]


def test_a_window_that_is_heard_at_once_is_done() -> None:
    one = course()

    assert one.first.kind is Kind.FIRST
    assert one.heard(one.first, heard("раз два"), 0.5) == []
    assert one.is_done
    assert texts(one) == ["раз", "два"]
    result = one.result()
    assert (result.retries, result.engine_ms, result.given_up) == (0, 500.0, ())


def test_what_has_no_other_search_is_heard_once_and_the_filters_judge_it() -> None:
    one = course(ladder=Ladder(Search(), CUT_AXIS, searches=False))

    assert one.heard(one.first, replace(heard("да " * 100), hit_cap=True, avg_logprob=-9.0), 0.5) == []
    assert one.is_done
    assert (len(texts(one)), one.result().given_up, one.result().retries) == (100, (), 0)


def test_a_loop_is_heard_again_on_the_whole_axis_first() -> None:
    one = course()
    [again] = one.heard(one.first, LOOP, 0.5)

    assert again == Attempt(one.first.passage, Kind.WHOLE)
    assert LADDER.axis_s(one.first) == 15.0
    assert LADDER.axis_s(again) == 30.0
    assert not one.is_done
    assert one.heard(again, heard("раз"), 0.5) == []
    assert (texts(one), one.result().retries, one.result().engine_ms) == (["раз"], 1, 1000.0)


def test_what_loops_on_the_whole_axis_is_cut_in_two_and_the_parts_put_together_in_time() -> None:
    one = course()
    [whole] = one.heard(one.first, LOOP, 0.0)
    left, right = one.heard(whole, LOOP, 0.0)
    middle = one.window.quietest

    assert (left.kind, left.passage.part) == (Kind.HALF, Span(0, middle))
    assert (right.kind, right.passage.part) == (Kind.HALF, Span(middle, one.window.samples))
    assert one.heard(right, heard("три"), 0.0) == []
    assert not one.is_done
    assert one.heard(left, heard("раз два"), 0.0) == []
    assert one.is_done
    assert [(word.text, word.start_s) for word in one.result().words] == [(" раз", 0.0), (" два", 1.0), (" три", 6.0)]


def test_a_half_that_loops_gets_a_little_chance_and_is_then_given_up() -> None:
    one = course()
    [whole] = one.heard(one.first, LOOP, 0.0)
    left, right = one.heard(whole, LOOP, 0.0)
    [chance] = one.heard(left, LOOP, 0.0)

    assert chance == Attempt(left.passage, Kind.CHANCE)
    assert LADDER.search(Kind.CHANCE).temperature > 0
    assert one.heard(chance, LOOP, 0.0) == []
    assert one.heard(right, heard("три"), 0.0) == []
    result = one.result()
    assert result.given_up == (GivenUp(0.0, 6.0, LOOP.text, "repetition"),)
    assert texts(one) == ["три"]
    assert result.compression_ratio > 2.4
    assert result.retries == 4


def test_a_search_that_would_be_the_same_is_not_repeated() -> None:
    one = course(ladder=Ladder(Search(beam_size=5), TimeAxis()))

    assert [attempt.kind for attempt in one.heard(one.first, LOOP, 0.0)] == [Kind.HALF, Kind.HALF]


def test_a_greedy_search_is_followed_by_a_wide_one() -> None:
    greedy = Ladder(Search(beam_size=1), TimeAxis())
    one = course(ladder=greedy)
    [again] = one.heard(one.first, LOOP, 0.0)

    assert again.kind is Kind.WHOLE
    assert greedy.search(Kind.WHOLE).beam_size == 5


@pytest.mark.parametrize("seconds", [1.0, 1.9])
def test_a_window_too_short_to_be_cut_gets_its_chance_as_a_whole(seconds: float) -> None:
    one = course(seconds)
    [whole] = one.heard(one.first, LOOP, 0.0)

    assert [attempt.kind for attempt in one.heard(whole, LOOP, 0.0)] == [Kind.CHANCE]


def test_a_doubtful_answer_is_asked_for_again_and_the_surer_one_counts() -> None:
    for first, second, expected in ((-1.5, -0.3, "второй"), (-1.1, -1.9, "первый")):
        one = course()
        [again] = one.heard(one.first, heard("первый", first), 0.0)
        assert again.kind is Kind.WHOLE
        assert one.heard(again, heard("второй", second), 0.0) == []
        assert texts(one) == [expected]


def test_a_doubtful_answer_is_better_than_a_loop() -> None:
    one = course()
    [again] = one.heard(one.first, heard("первый", -1.5), 0.0)

    assert one.heard(again, LOOP, 0.0) == []
    assert texts(one) == ["первый"]


def test_doubt_where_nobody_seems_to_speak_is_no_reason_to_ask_again() -> None:
    one = course()

    assert one.heard(one.first, Heard(text="ага", avg_logprob=-2.0, no_speech_prob=0.9), 0.0) == []


def test_doubt_about_the_widest_search_stays() -> None:
    one = course(ladder=Ladder(Search(beam_size=5), TimeAxis()))

    assert one.heard(one.first, heard("ага", -2.0), 0.0) == []
    assert texts(one) == ["ага"]
