from __future__ import annotations

import pytest

from razgovor.scoring import Score, normalise, score, wer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Добрый день, банк «Северный»!", "добрый день банк северный"),
        ("Всё ещё ёлка", "все еще елка"),
        ("дом 12, квартира 54", "дом двенадцать квартира пятьдесят четыре"),
        ("8-800", "восемь восемьсот"),
        ("10%", "десять"),
        ("заказ 8,4,3,1.", "заказ восемь четыре три один"),
        ("номер 79161234567", "номер семь девять один шесть один два три четыре пять шесть семь"),
        ("... - ?", ""),
    ],
)
def test_text_is_brought_to_bare_words(text: str, words: str) -> None:
    assert normalise(text) == words


def test_other_languages_spell_their_own_numbers() -> None:
    assert normalise("Room 12", "en") == "room twelve"


def test_errors_are_counted_by_word() -> None:
    assert score("раз два три четыре", "раз тва три четыре пять") == Score(2, 4)


def test_without_a_reference_every_word_is_an_error() -> None:
    assert score("", "редактор субтитров") == Score(2, 0)
    assert score("", "") == Score(0, 0)


def test_without_a_hypothesis_every_word_is_an_error() -> None:
    assert score("раз два", "") == Score(2, 2)


def test_the_rate_is_weighed_by_words() -> None:
    assert wer([("раз два три", "раз два три"), ("пять", "шесть")]) == 0.25
    assert wer([]) == 0


def test_numbers_that_begin_with_a_zero_are_read_digit_by_digit() -> None:
    assert normalise("код 007, 0 рублей") == "код ноль ноль семь ноль рублей"
