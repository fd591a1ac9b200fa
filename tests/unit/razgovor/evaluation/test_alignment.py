from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from razgovor.evaluation.alignment import Kind, Step, WordErrors, align
from razgovor.scoring import Score, score

TEXTS = st.lists(st.sampled_from(["раз", "два", "три", "12", "ёлка", "Все,", "-"]), max_size=12).map(" ".join)


def test_each_word_says_what_became_of_it() -> None:
    found = align("раз два три четыре", "раз тва три четыре пять")

    assert found.steps == (
        Step(Kind.RIGHT, "раз", "раз"),
        Step(Kind.WRONG, "два", "тва"),
        Step(Kind.RIGHT, "три", "три"),
        Step(Kind.RIGHT, "четыре", "четыре"),
        Step(Kind.ADDED, "", "пять"),
    )
    assert found.errors == WordErrors(right=3, wrong=1, missed=0, added=1)
    assert found.errors.rate == 0.5


def test_letters_are_counted_too() -> None:
    assert align("раз", "рас").characters == Score(1, 3)


@pytest.mark.parametrize(
    ("said", "heard", "errors", "characters"),
    [
        ("", "редактор субтитров", WordErrors(added=2), Score(18, 0)),
        ("раз два", "", WordErrors(missed=2), Score(7, 7)),
        ("", "", WordErrors(), Score(0, 0)),
    ],
)
def test_a_side_may_be_empty(said: str, heard: str, errors: WordErrors, characters: Score) -> None:
    found = align(said, heard)

    assert (found.errors, found.characters) == (errors, characters)


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_errors_are_those_of_scoring_and_the_texts_can_be_read_back(said: str, heard: str) -> None:
    found = align(said, heard)

    assert Score(found.errors.errors, found.errors.words) == score(said, heard)
    assert [step.said for step in found.steps if step.said] == [step.said for step in align(said, said).steps]
    assert [step.heard for step in found.steps if step.heard] == [step.heard for step in align(heard, heard).steps]


@settings(deadline=None)
@given(TEXTS)
def test_a_text_against_itself_is_right(said: str) -> None:
    assert align(said, said).errors.errors == 0
    assert align(said, said).characters.errors == 0
