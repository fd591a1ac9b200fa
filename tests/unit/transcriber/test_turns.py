from __future__ import annotations

from pipeline.contracts.transcript import Word
from services.transcriber.domain.turns import dialogue
from services.transcriber.domain.words import SpokenWord, Utterance
from services.transcriber.fakes import window

ROLES = {0: "operator", 1: "customer"}


def utterance(channel: int, start_s: float, end_s: float, text: str = "слово") -> Utterance:
    return Utterance(channel, window(channel, (start_s, end_s)).pieces[0], (SpokenWord(text, start_s, end_s, 0.81234),))


def test_the_dialogue_runs_by_time_and_names_roles() -> None:
    turns = dialogue([utterance(0, 0, 2), utterance(0, 5, 6), utterance(1, 2.2, 4)], ROLES, one_speaker_a_channel=True)

    assert [(turn.channel, turn.role, turn.start_s, turn.end_s) for turn in turns] == [
        (0, "operator", 0, 2),
        (1, "customer", 2.2, 4),
        (0, "operator", 5, 6),
    ]


def test_a_short_pause_goes_on_a_long_one_ends_the_turn() -> None:
    turns = dialogue(
        [utterance(0, 0, 1, "раз"), utterance(0, 1.5, 2, "два"), utterance(0, 5, 6, "три")],
        ROLES,
        one_speaker_a_channel=True,
    )

    assert [turn.text for turn in turns] == ["раз два", "три"]


def test_the_other_side_ends_the_turn_even_in_a_short_pause() -> None:
    turns = dialogue(
        [utterance(0, 0, 1), utterance(1, 1.1, 1.3), utterance(0, 1.4, 2)], ROLES, one_speaker_a_channel=True
    )

    assert [turn.channel for turn in turns] == [0, 1, 0]


def test_where_nobody_knows_who_speaks_every_pause_ends_the_turn() -> None:
    turns = dialogue([utterance(0, 0, 1), utterance(0, 1.4, 2)], {0: None}, one_speaker_a_channel=False)

    assert [(turn.role, turn.start_s) for turn in turns] == [(None, 0), (None, 1.4)]


def test_a_turn_carries_its_words_and_their_mean_confidence() -> None:
    [turn] = dialogue([utterance(0, 0, 1)], ROLES, one_speaker_a_channel=True)

    assert turn.words == (Word(text="слово", start_s=0, end_s=1, confidence=0.812),)
    assert turn.confidence == 0.812
