from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transcriber.domain import credibility, film_credits, filters, repetition
from services.transcriber.domain.filters import CREDITS, PROMPT, REPETITION, SOUND_CAPTION, sieve
from services.transcriber.domain.repetition import compression_ratio, is_loop, loop_flags
from services.transcriber.domain.words import SpokenWord, Utterance
from services.transcriber.fakes import window

SURE = 0.95
UNSURE = 0.5


def utterance(text: str, probability: float = SURE) -> Utterance:
    words = tuple(
        SpokenWord(word, number * 0.1, number * 0.1 + 0.1, probability) for number, word in enumerate(text.split())
    )
    return Utterance(0, window(0, (0.0, 30.0)).pieces[0], words)


def kept_out(text: str, probability: float = SURE, prompt: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [(kept.utterance.text, kept.reason) for kept in sieve([utterance(text, probability)], prompt)[1]]


@pytest.mark.parametrize(
    "text",
    [
        "Редактор субтитров А.Синецкая Корректор В.Сухиашвили",
        "Редактор субтитров А.Семкин Корректор А.Егорова",
        "Редактор субтитров Н. Олзоева",
        "Редактор субтитров О.Голубкина",
        "Редактор субтитров",
        "Субтитры сделал DimaTorzok",
        "Субтитры создавал DimaTorzok.",
        "Субтитры добавил DimaTorzok",
        "Субтитры подогнал «Симон»!",
        "Субтитры сделаны сообществом Amara.org",
        "Субтитры предоставлены сообществом Amara.org",
        "Субтитры и перевод: студия",
        "Перевод субтитров: Екатерина",
        "Продолжение следует...",
        "Продолжение следует... Продолжение следует...",
        "Спасибо за просмотр!",
        "Всем спасибо за просмотр!",
        "Спасибо за просмотр! Спасибо за субтитры Алексею!",
        "Благодарю за просмотр.",
        "Смотрите продолжение в следующей серии.",
        "Смотрите продолжение в 4 части видео.",
        "Смотрите далее в следующем видео.",
        "Продолжение в следующей части.",
        "Подписывайтесь на канал!",
        "Подпишись на мой канал",
        "Не забудьте подписаться на канал.",
        "Ставьте лайки и подписывайтесь на канал!",
        "Нажмите на колокольчик",
        "До встречи в следующем видео!",
        "С вами был Игорь Негода.",
        "Девушки отдыхают...",
        "Subtitles by the Amara.org community",
        "Thank you for watching!",
        "Thanks for watching!",
        "To be continued...",
    ],
)
@pytest.mark.parametrize("probability", [SURE, UNSURE])
def test_credits_are_kept_out_whole(text: str, probability: float) -> None:
    assert kept_out(text, probability) == [(text, CREDITS)]


@pytest.mark.parametrize(
    "text",
    [
        "СПОКОЙНАЯ МУЗЫКА",
        "СПОКОЙНАЯ МУЗЫКА СПОКОЙНАЯ МУЗЫКА СПОКОЙНАЯ МУЗЫКА",
        "ОПРЯЖЕННАЯ МУЗЫКА",
        "ТЕЛЕФОННЫЙ ЗВУК",
        "ТЕЛЕФОННЫЙ ЗВОНОК.",
        "СМЕХ",
        "ГУДКИ",
        "ШУМ ДОЖДЯ",
        "ГОВОРИТ НА ИНОСТРАННОМ ЯЗЫКЕ",
    ],
)
def test_captions_of_sounds_in_capitals_are_kept_out(text: str) -> None:
    assert kept_out(text) == [(text, SOUND_CAPTION)]


@pytest.mark.parametrize(
    "text", ["Играет музыка", "Тревожная музыка", "(аплодисменты)", "ТЕЛЕФОННОЕ", "ПЕРЕСТРЕЛКА", "РОСТЕЛЕКОМ."]
)
def test_others_are_kept_out_where_the_model_was_not_sure(text: str) -> None:
    assert kept_out(text, UNSURE) == [(text, SOUND_CAPTION)]
    assert kept_out(text, SURE) == []


@pytest.mark.parametrize("text", ["До новых встреч!", "Всем пока!", "Спасибо за внимание."])
def test_a_farewell_to_viewers_goes_only_where_the_model_was_not_sure(text: str) -> None:
    assert kept_out(text, UNSURE) == [(text, CREDITS)]
    assert kept_out(text, SURE) == []


def test_credits_after_speech_leave_the_speech() -> None:
    passed, kept = sieve([utterance("До свидания, всего доброго. Субтитры сделал DimaTorzok")])

    assert [spoken.text for spoken in passed] == ["До свидания, всего доброго."]
    assert [each.utterance.text for each in kept] == ["Субтитры сделал DimaTorzok"]


def test_credits_between_speech_leave_both_sides_of_it_in_their_order() -> None:
    passed, kept = sieve([utterance("Минуту, смотрю. Субтитры сделал DimaTorzok Да, заказ собран.")])

    assert [spoken.text for spoken in passed] == ["Минуту, смотрю.", "Да, заказ собран."]
    assert [each.utterance.text for each in kept] == ["Субтитры сделал DimaTorzok"]


@pytest.mark.parametrize(
    "text",
    [
        "Спасибо за звонок, хорошего вам дня.",
        "Спасибо за ожидание!",
        "Спасибо за внимание, всего доброго.",
        "В письме сказано, что продолжение следует на второй странице.",
        "Мне нужен корректор осанки, тридцать второй размер.",
        "Я редактор районной газеты.",
        "У вас в кабинете не видно субтитров.",
        "Субтитры на телевизоре не включаются.",
        "Как включить субтитры?",
        "Подписывайте договор и отправляйте нам.",
        "Вы подписались на рассылку?",
        "Не забудьте подписать акт.",
        "Канал на ютубе у вас есть?",
        "Какие каналы входят в пакет, музыкальные есть?",
        "Играет музыка, и никто не отвечает.",
        "У вас там музыка играет.",
        "Плохой звук.",
        "Шум какой-то на линии.",
        "Сигнал слабый.",
        "Гудки идут, трубку не берут.",
        "Смотрите, продолжение ремонта будет в следующей неделе.",
        "Смотрите далее, пункт третий договора.",
        "До встречи в следующем месяце.",
        "Всем привет, это опять я.",
        "Девушки, отдыхающие у вас, жалуются на шум.",
        "Нажмите на зелёную кнопку.",
        "ОСАГО.",
        "КАСКО и ОСАГО.",
        "СМС не приходит.",
        "ООО РОМАШКА, ИНН есть?",
        "Перевод на карту сделал, субботу ждал.",
        "Да.",
        "Да, да, да, да, конечно.",
        "Алло, алло, алло, алло, алло.",
        "Нет, нет, нет. Нет, нет, нет.",
        "Хорошо, спасибо. Хорошо, спасибо.",
        "Восемь девятьсот, девятьсот, девятьсот, девять девять девять.",
        "- - -",
        "...",
    ],
)
@pytest.mark.parametrize("probability", [SURE, UNSURE])
def test_what_people_say_passes(text: str, probability: float) -> None:
    said = utterance(text, probability)

    assert sieve([said]) == ([said], [])


def test_a_loop_is_kept_out() -> None:
    passed, kept = sieve([utterance("спасибо " * 40), utterance("Слушаю вас.")])

    assert [spoken.text for spoken in passed] == ["Слушаю вас."]
    assert [each.reason for each in kept] == [REPETITION]


def test_a_loop_after_speech_leaves_the_speech() -> None:
    loop = "и так далее, " * 4

    passed, kept = sieve([utterance(f"Мы проверим заявку завтра утром до обеда, {loop}")])

    assert [spoken.text for spoken in passed] == ["Мы проверим заявку завтра утром до обеда,"]
    assert [(each.utterance.text, each.reason) for each in kept] == [(loop.strip(), REPETITION)]


@given(st.lists(st.sampled_from(["да", "нет", "", "ну"]), max_size=30), st.integers(8, 12))
def test_a_word_repeated_too_often_is_a_loop_wherever_it_stands(before: list[str], times: int) -> None:
    flags = loop_flags([*before, *(["алло"] * times)])

    assert all(flags[len(before) :])


@pytest.mark.parametrize(
    ("words", "is_a_loop"),
    [("и " * 7, True), ("и " * 5, True), ("и " * 4, False), ("1 " * 7, False), ("1 " * 8, True), ("алло " * 7, False)],
)
def test_a_letter_is_a_loop_sooner_than_a_word_or_a_digit(words: str, *, is_a_loop: bool) -> None:
    assert all(loop_flags(words.split())) is is_a_loop


@given(st.lists(st.integers(0, 10_000), unique=True, max_size=40))
def test_different_words_are_no_loop(words: list[int]) -> None:
    assert not any(loop_flags([str(word) for word in words]))


def test_compression_tells_loops_from_speech() -> None:
    assert compression_ratio("") == 0
    assert compression_ratio("Управляющая компания, диспетчер Елена, слушаю вас.") < 2.4
    assert compression_ratio("о" * 224) > 10
    assert is_loop("о" * 224)
    assert is_loop("спасибо " * 40)
    assert not is_loop("девять девять девять девять девять девять")


GLOSSARY = ("тариф Семейный плюс", "Мегабит", "услуга Антивирус", "Сухиашвили", "бухта Тихая")


@pytest.mark.parametrize(
    "text",
    [
        "тариф Семейный плюс, Мегабит, услуга Антивирус",
        "Мегабит, услуга Антивирус, Сухиашвили, бухта Тихая.",
        "Семейный плюс, Мегабит, услуга Антивирус, Сухиашвили, бухта",
    ],
)
def test_output_that_reads_the_prompt_is_kept_out(text: str) -> None:
    assert kept_out(text, prompt=GLOSSARY) == [(text, PROMPT)]
    assert kept_out(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Мегабит.",
        "Тариф Семейный плюс.",
        "У меня тариф Семейный плюс, а хочу Мегабит.",
        "Есть тариф Семейный плюс, есть Мегабит, и ещё можно услуга Антивирус.",
        "Сухиашвили слушает.",
        "...",
    ],
)
def test_terms_of_the_prompt_in_speech_pass(text: str) -> None:
    assert kept_out(text, prompt=GLOSSARY) == []


def rules() -> Iterator[object]:
    yield film_credits.PATTERNS
    yield (film_credits.UNSURE, film_credits._LONGER_THAN_ABBREVIATIONS, film_credits._SURE_OF_A_NAME)
    yield (repetition.MAX_COMPRESSION_RATIO, repetition.MIN_LOOP_BYTES)
    yield (repetition.MIN_WORD_REPEATS, repetition.MIN_PHRASE_REPEATS, repetition.MIN_LETTER_REPEATS)
    yield (credibility.SILENT, credibility.FAILED_LOGPROB)
    yield (filters._PROMPT_SHARE, filters._PROMPT_TERMS)


def test_the_version_is_raised_when_a_rule_changes() -> None:
    fingerprint = hashlib.sha256(repr(list(rules())).encode()).hexdigest()[:12]

    assert (filters.VERSION, fingerprint) == ("3", "1ec810b3ee93")
