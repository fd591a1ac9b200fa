"""Tokens become words: what belongs together stays together, and every word lies within its passage."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transcriber.domain.tokens import LETTER_S, Token, mean_logprob, words_of


def tokens(*texts: str, step_s: float = 0.1, logprob: float = -0.1) -> list[Token]:
    return [Token(text, round(index * step_s, 3), logprob) for index, text in enumerate(texts)]


def texts(said: list[Token]) -> list[str]:
    return [word.text for word in words_of(said, duration_s=60.0)]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (tokens(*"да нет"), [" да", " нет"]),
        (tokens(" да", " нет"), [" да", " нет"]),
        (tokens(" Да", ",", " не", "т", "."), [" Да,", " нет."]),
        (tokens(" Да", " ", ",", " нет"), [" Да,", " нет"]),
        (tokens(" ", "д", "а", " ", " "), [" да"]),
        (tokens(" <unk>", "<unk>", " да"), [" да"]),
        (tokens("д", "<unk>", "а"), [" да"]),
        (tokens(" «Да»", " —", " сказал"), [" «Да»—", " сказал"]),
        (tokens("—"), [" —"]),
        ([], []),
    ],
)
def test_a_space_begins_a_word_and_a_mark_joins_the_one_before(said: list[Token], words: list[str]) -> None:
    assert texts(said) == words


def test_a_word_ends_where_the_next_token_begins_or_its_letters_are_said() -> None:
    said = [Token(" два", 1.0, -0.1), Token(" три", 1.1, -0.1), Token(" раз", 5.0, -0.1)]
    two, three, last = words_of(said, duration_s=60.0)

    assert (two.start_s, two.end_s) == (1.0, 1.1)
    assert (three.start_s, three.end_s) == pytest.approx((1.1, 1.1 + 3 * LETTER_S))
    assert last.end_s == pytest.approx(5.0 + 3 * LETTER_S)


def test_a_late_model_is_set_right() -> None:
    first, second = words_of(tokens(" раз", " два", step_s=1.0), late_s=0.33, duration_s=60.0)

    assert first.start_s == 0.0
    assert second.start_s == pytest.approx(0.67)


def test_a_words_probability_is_the_mean_of_its_tokens() -> None:
    said = [Token("д", 0.0, -0.2), Token("а", 0.1, -0.4), Token(" ", 0.2, -9.0), Token("<unk>", 0.3, -9.0)]
    [word] = words_of(said, duration_s=1.0)

    assert word.probability == pytest.approx(math.exp(-0.3))
    assert mean_logprob(said) == pytest.approx(-0.3)
    assert mean_logprob([]) == 0.0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["а", "б", " ", " да", ",", " .", "<unk>", "—", " 1"]),
            st.floats(0, 2),
            st.floats(-20, 1e-6),
        )
    ),
    st.floats(0, 1),
    st.floats(0.1, 30),
)
def test_words_ascend_within_the_passage_and_lose_no_letter(
    drawn: list[tuple[str, float, float]], late_s: float, duration_s: float
) -> None:
    said: list[Token] = []
    for text, pause_s, logprob in drawn:
        said.append(Token(text, (said[-1].start_s if said else 0.0) + pause_s, logprob))
    words = words_of(said, late_s=late_s, duration_s=duration_s)

    assert "".join(word.text for word in words).replace(" ", "") == "".join(
        token.text.replace(" ", "") for token in said if token.text != "<unk>"
    )
    assert [word.start_s for word in words] == sorted(word.start_s for word in words)
    assert all(0 <= word.start_s <= word.end_s <= duration_s for word in words)
    assert all(0 < word.probability <= 1 for word in words)
    assert all(word.text.startswith(" ") and " " not in word.text[1:] for word in words)
