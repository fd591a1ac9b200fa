from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.transcript import Word
from pipeline.formats.cues import MAX_CUE_CHARACTERS, MAX_CUE_MS, Cue, cues
from pipeline.formats.plain import one_line
from pipeline.formats.wording import wording
from tests.unit.pipeline.formats import calls, hostile

EN = wording("en")

_words = st.lists(st.sampled_from(["да", "нет.", "длинноеслово", "и,", "так!", "x" * 90]), max_size=80)


@settings(deadline=None)  # a busy machine is no fault of the code
@given(st.lists(_words, max_size=4), st.floats(0.01, 60))
def test_cues_say_every_word_in_order(said: list[list[str]], length_s: float) -> None:
    turns = [
        calls.turn(" ".join(tokens), start_s=number * 60, end_s=number * 60 + length_s)
        for number, tokens in enumerate(said)
    ]
    made = cues(calls.transcript(turns), EN)
    assert " ".join(cue.text for cue in made).split() == [token for tokens in said for token in tokens]
    assert all(0 <= cue.start_ms < cue.end_ms for cue in made)
    assert [cue.start_ms for cue in made] == sorted(cue.start_ms for cue in made)


@settings(deadline=None)  # a busy machine is no fault of the code
@given(_words, st.floats(0.01, 60))
def test_a_cue_of_several_words_can_be_read_while_it_is_spoken(tokens: list[str], length_s: float) -> None:
    for cue in cues(calls.transcript([calls.turn(" ".join(tokens), end_s=length_s)]), EN):
        if " " in cue.text:
            assert len(cue.text) <= MAX_CUE_CHARACTERS
            assert cue.end_ms - cue.start_ms <= MAX_CUE_MS


@settings(deadline=None)  # a busy machine is no fault of the code
@given(hostile.anything)
def test_text_that_its_words_do_not_make_stays_whole(text: str) -> None:
    turn = calls.turn(text, timed=False).model_copy(
        update={"words": (Word(text="другое", start_s=0.1, end_s=0.2, confidence=1),)}
    )
    assert [cue.text for cue in cues(calls.transcript([turn]), EN)] == ([one_line(text)] if one_line(text) else [])


def test_a_long_turn_is_cut_where_a_sentence_or_clause_ends() -> None:
    said = [cue.text for cue in cues(calls.conversation(), EN) if cue.speaker == "Customer"]
    assert said[1:3] == [
        "У меня списали деньги два раза за одну и ту же покупку,",
        "три тысячи пятьсот рублей, вчера вечером в магазине на улице Ленина.",
    ]


def test_a_turn_without_length_is_shown_for_half_a_second() -> None:
    call = calls.transcript([calls.turn("да", start_s=2, end_s=2), calls.turn("нет", start_s=3, end_s=2.5)])
    assert cues(call, EN) == [Cue(2000, 2500, "Operator", "да"), Cue(3000, 3500, "Operator", "нет")]


def test_words_with_times_out_of_order_keep_their_order() -> None:
    turn = calls.turn("раз два три", start_s=5, end_s=6).model_copy(
        update={
            "words": (
                Word(text="раз", start_s=9, end_s=30, confidence=1),
                Word(text="два", start_s=1, end_s=2, confidence=1),
                Word(text="три", start_s=3, end_s=4, confidence=1),
            )
        }
    )
    made = cues(calls.transcript([turn]), EN)
    assert " ".join(cue.text for cue in made) == "раз два три"
    assert all(cue.start_ms < cue.end_ms for cue in made)
