from __future__ import annotations

import pytest

from razgovor.evaluation.alignment import WordErrors
from razgovor.evaluation.measures import MISSED_TURN_S, EngineResult, failed, judge, percentile
from razgovor.evaluation.references import SILENCE
from tests.unit.razgovor.evaluation.calls import reference, said, transcript, turn

DIALOGUE = reference(said(0, "добрый день", 1.0, 2.0), said(1, "здравствуйте", 3.0, 4.0))


def test_each_side_is_held_against_its_own_words() -> None:
    result = judge("a.wav", transcript(turn(0, 1.1, "Добрый день"), turn(1, 3.0, "здравствуй")), DIALOGUE)

    assert [(one.channel, one.role, one.alignment.errors) for one in result.channels] == [
        (0, "operator", WordErrors(right=2)),
        (1, "customer", WordErrors(wrong=1)),
    ]
    assert result.errors == WordErrors(right=2, wrong=1)
    assert result.start_errors_s == pytest.approx((0.1, 0.0))


def test_words_on_the_wrong_side_are_errors_on_both() -> None:
    result = judge("a.wav", transcript(turn(1, 1.0, "добрый день"), turn(0, 3.0, "здравствуйте")), DIALOGUE)

    assert result.errors.rate >= 1


@pytest.mark.parametrize("mode", ["mono", "dual_mono"])
def test_where_nobody_can_tell_the_sides_all_words_are_compared_in_the_order_they_were_said(mode: str) -> None:
    heard = transcript(turn(0, 1.0, "добрый день"), turn(0, 3.0, "здравствуйте"), mode=mode)

    result = judge("a.wav", heard, reference(*reversed(DIALOGUE.turns)))

    assert [one.channel for one in result.channels] == [None]
    assert result.errors == WordErrors(right=3)
    assert result.start_errors_s == ()


def test_a_reference_without_sides_is_compared_as_a_whole() -> None:
    heard = transcript(turn(0, 1.0, "добрый день"), turn(1, 3.0, "здравствуйте"))

    result = judge("a.wav", heard, reference(said(None, "добрый день здравствуйте")))

    assert result.errors == WordErrors(right=3)
    assert (result.silence_s, result.silence_words) == (None, 0)


def test_words_far_from_any_turn_of_their_side_were_invented() -> None:
    heard = transcript(turn(0, 1.0, "добрый день"), turn(1, 3.0, "здравствуйте"), turn(0, 3.0, "продолжение следует"))

    result = judge("a.wav", heard, DIALOGUE)

    assert result.silence_words == 2
    assert result.silence_s == pytest.approx(2 * 20.0 - 2.0)


def test_where_nobody_speaks_every_word_was_invented() -> None:
    result = judge("silence.wav", transcript(turn(0, 1.0, "редактор субтитров")), SILENCE)

    assert (result.silence_words, result.errors) == (2, WordErrors(added=2))
    assert result.silence_s == 40.0


def test_turns_that_overlap_are_silence_only_once() -> None:
    both = reference(said(0, "раз", 1.0, 3.0), said(0, "два", 2.0, 4.0))

    assert judge("a.wav", transcript(), both).silence_s == pytest.approx(17.0 + 20.0)


def test_a_turn_that_was_not_heard_is_found_late() -> None:
    assert judge("a.wav", transcript(turn(0, 1.0, "добрый день")), DIALOGUE).start_errors_s == (0.0, MISSED_TURN_S)


def test_a_side_that_was_not_recorded_says_nothing_of_starts() -> None:
    heard = transcript(turn(0, 1.0, "добрый день"), warnings=("silent_channel",))

    assert judge("a.wav", heard, DIALOGUE).start_errors_s == ()


def test_a_recording_that_failed_missed_every_word() -> None:
    result = failed("a.wav", "decode_timeout", DIALOGUE)

    assert result.errors == WordErrors(missed=3)
    whole = EngineResult(name="base", calls=(result, judge("b.wav", transcript(turn(0, 1.0, "добрый день")), DIALOGUE)))
    assert whole.errors == WordErrors(right=2, missed=4)
    assert [call.recording for call in whole.heard] == ["b.wav"]


@pytest.mark.parametrize(
    ("values", "expected"), [([], None), ([3.0], 3.0), ([1.0] * 95 + [9.0] * 5, 1.0), ([1.0] * 94 + [9.0] * 6, 9.0)]
)
def test_the_percentile_is_a_value_that_was_measured(values: list[float], expected: float | None) -> None:
    assert percentile(values) == expected
