from __future__ import annotations

import pytest

from services.transcriber.domain.filters import CREDITS, REPETITION, compression_ratio, sieve
from services.transcriber.domain.words import SpokenWord, Utterance
from services.transcriber.fakes import window


def utterance(text: str) -> Utterance:
    words = tuple(SpokenWord(word, number * 0.1, number * 0.1 + 0.1, 0.9) for number, word in enumerate(text.split()))
    return Utterance(0, window(0, (0.0, 30.0)).pieces[0], words)


@pytest.mark.parametrize(
    "text",
    [
        "Редактор субтитров А.Синецкая Корректор В.Сухиашвили",
        "Редактор субтитров А.Семкин Корректор А.Егорова",
        "Субтитры сделал DimaTorzok",
        "Субтитры создавал DimaTorzok.",
        "Продолжение следует...",
        "Продолжение следует... Продолжение следует...",
        "Спасибо за просмотр!",
        "Смотрите продолжение в следующей серии.",
        "Подписывайтесь на канал!",
    ],
)
def test_credits_are_kept_out_whole(text: str) -> None:
    passed, kept_out = sieve([utterance(text)])

    assert passed == []
    assert [(kept.utterance.text, kept.reason) for kept in kept_out] == [(text, CREDITS)]


def test_credits_after_speech_leave_the_speech() -> None:
    passed, kept_out = sieve([utterance("До свидания, всего доброго. Субтитры сделал DimaTorzok")])

    assert [kept.text for kept in passed] == ["До свидания, всего доброго."]
    assert [kept.utterance.text for kept in kept_out] == ["Субтитры сделал DimaTorzok"]


@pytest.mark.parametrize(
    "text",
    [
        "Спасибо за звонок, хорошего вам дня.",
        "В письме сказано, что продолжение следует на второй странице.",
        "Мне нужен корректор осанки, тридцать второй размер.",
        "У вас в кабинете не видно субтитров.",
        "Да.",
        "Да, да, да, да, конечно.",
        "- - -",
    ],
)
def test_what_people_say_passes(text: str) -> None:
    said = utterance(text)

    assert sieve([said]) == ([said], [])


def test_a_loop_is_kept_out() -> None:
    passed, kept_out = sieve([utterance("спасибо " * 40), utterance("Слушаю вас.")])

    assert [kept.text for kept in passed] == ["Слушаю вас."]
    assert [kept.reason for kept in kept_out] == [REPETITION]


def test_compression_tells_loops_from_speech() -> None:
    assert compression_ratio("") == 0
    assert compression_ratio("Управляющая компания, диспетчер Елена, слушаю вас.") < 2.4
    assert compression_ratio("о" * 224) > 10
