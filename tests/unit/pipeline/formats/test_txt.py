from __future__ import annotations

import pytest
from hypothesis import given, settings

from pipeline.contracts.transcript import Channel, Quality, Suppressed, Warning_
from pipeline.formats import txt
from pipeline.formats.plain import one_line
from tests.unit.pipeline.formats import calls, hostile

CONVERSATION = """\
Расшифровка разговора

Звонок:        call-job-1
Дата и время:  14.03.2026 10:15:30 UTC+03:00
Направление:   входящий
Оператор:      Иванова А. П.
Номер клиента: +7 900 000-00-00
Очередь:       Поддержка
Файл:          2026-03-14_101530.wav
Тема:          Перевод
Длительность:  01:24
Каналы:        стерео
Речь:          Оператор 00:10, Клиент 00:10
Слов:          77
Уверенность:   90%
Язык:          ru
Модель:        base (sha256 905e5bf8336b)
Движок:        faster-whisper/1.2.1
Задание:       job-1 (запуск 1)

Внимание: Запись неполная: заявлено 252,0 с (04:12), прочитано 84,2 с (01:24).

----------------------------------------------------------------------------------------------------

[00:00] Оператор: Добрый день, банк Северный, специалист Александр. Как я могу к вам обращаться?
[00:07] Клиент:   Здравствуйте, меня зовут Марина Сергеевна.
[00:10] Оператор: Очень приятно, Марина Сергеевна. Какой у вас вопрос?
[00:15] Клиент:   У меня списали деньги два раза за одну и ту же покупку, три тысячи пятьсот рублей,
                  вчера вечером в магазине на улице Ленина. Я сначала подумала, что это ошибка
                  терминала, подождала до утра, но деньги так и не вернулись, и в приложении теперь
                  видно две операции подряд. Что мне делать?
[00:41] Оператор: Понимаю.
[00:41] Клиент:   Да.

[Запись обрывается здесь: 01:24]
"""


def test_a_conversation_reads_like_this() -> None:
    assert txt.render(calls.conversation(), calls.INFO, "ru").decode() == CONVERSATION


def test_in_english_dates_and_words_are_english() -> None:
    lines = txt.render(calls.conversation(), calls.INFO, "en").decode().splitlines()
    assert "Date and time:   2026-03-14 10:15:30 UTC+03:00" in lines
    assert "Attention: The recording is incomplete: 252.0 s (04:12) declared, 84.2 s (01:24) decoded." in lines
    assert "[00:07] Customer: Здравствуйте, меня зовут Марина Сергеевна." in lines
    assert lines[-1] == "[The recording breaks off here: 01:24]"


def test_without_call_info_the_head_says_what_the_transcript_knows() -> None:
    text = txt.render(calls.transcript([calls.turn("да")]), None, "ru").decode()
    assert "Звонок:" in text
    assert "Дата и время" not in text


def test_a_mono_call_has_no_speaker_labels_and_says_why() -> None:
    call = calls.transcript(
        [calls.turn("Алло.", role=None), calls.turn("Слушаю.", role=None, start_s=2, end_s=3)],
        channel_mode="mono",
        warnings=(Warning_(code="mono"),),
    )
    lines = txt.render(call, None, "ru").decode().splitlines()
    assert lines[-2:] == ["[00:00] Алло.", "[00:02] Слушаю."]
    assert any(line.startswith("Внимание: Запись моно") for line in lines)


def test_a_silent_call_says_that_nobody_speaks() -> None:
    assert txt.render(calls.transcript(), None, "ru").decode().splitlines()[-1] == "Речи в записи нет."


def test_in_a_call_of_hours_all_times_have_them() -> None:
    call = calls.transcript([calls.turn("а"), calls.turn("б", start_s=3700, end_s=3701)], duration_s=4000)
    assert txt.render(call, None, "ru").decode().splitlines()[-2:] == [
        "[0:00:00] Оператор: а",
        "[1:01:40] Оператор: б",
    ]


@pytest.mark.parametrize(
    ("warning", "sentence"),
    [
        (Warning_(code="truncated_audio", details={"decoded_s": 3.0}), "заявлено ?, прочитано 3,0 с (00:03)"),
        (Warning_(code="silent_channel", details={"channel": 1}), "Внимание: Клиент: в записи тишина."),
        (
            Warning_(code="too_quiet", details={"channel": 0, "level_db": -57.3}),
            "Внимание: Оператор: записано слишком тихо (-57 дБ), слова могли потеряться.",
        ),
        (
            Warning_(code="clipped", details={"channel": 1, "share": 0.312}),
            "Внимание: Клиент: записано с перегрузкой (31% речи искажено).",
        ),
        (
            Warning_(code="crosstalk", details={"channel": 1, "leaked_s": 12.34}),
            "Внимание: Клиент: слышен другой собеседник (12,3 с (00:12)); эти места исключены.",
        ),
        (Warning_(code="dual_mono"), "Оба канала одинаковы"),
        (Warning_(code="from_tomorrow", details={"b": 2, "a": 0.5}), "Внимание: from_tomorrow: a 0.5, b 2"),
        (Warning_(code="from_tomorrow"), "Внимание: from_tomorrow\n"),
    ],
)
def test_warnings_are_sentences(warning: Warning_, sentence: str) -> None:
    assert sentence in txt.render(calls.transcript(warnings=(warning,)), None, "ru").decode()


def test_swapped_channels_are_no_fault_but_said() -> None:
    page = txt.render(calls.transcript(warnings=(Warning_(code="swapped_channels"),)), None, "ru").decode()

    assert "Внимание" not in page
    assert "стерео (клиент на первом канале, оператор на втором)" in page


@pytest.mark.parametrize(
    ("locale", "lines"),
    [
        (
            "ru",
            ["Сомнительных слов: 7%", "Темп речи: 2,5 слов/с", "Сигнал: Оператор -21 дБ (шум -58 дБ), Клиент -34 дБ"],
        ),
        (
            "en",
            [
                "Doubtful words: 7%",
                "Speech rate: 2.5 words/s",
                "Signal: Operator -21 dB (noise -58 dB), Customer -34 dB",
            ],
        ),
    ],
)
def test_quality_stands_in_the_head(locale: str, lines: list[str]) -> None:
    channels = (
        Channel(index=0, role="operator", speech_s=10.0, quality=Quality(level_db=-21.2, noise_db=-57.9, snr_db=36.7)),
        Channel(index=1, role="customer", speech_s=10.0, quality=Quality(level_db=-34.0)),
    )
    quality = Quality(avg_logprob=-0.3, low_confidence_share=0.071, words_per_s=2.46, level_db=-34.0)

    page = txt.render(calls.transcript(channels=channels, quality=quality), None, locale).decode()

    squeezed = [" ".join(line.split()) for line in page.splitlines()]
    assert [line for line in lines if line not in squeezed] == []


def test_partial_is_said_even_without_a_warning() -> None:
    assert "Внимание: Запись прочитана не полностью." in txt.render(calls.transcript(partial=True), None, "ru").decode()


def test_what_was_left_out_is_counted_not_quoted() -> None:
    left_out = Suppressed(channel=1, start_s=1, end_s=2, text="Редактор субтитров", reason="credits")
    text = txt.render(calls.transcript(suppressed=(left_out,)), None, "ru").decode()
    assert "Исключено:    1 (" in text
    assert "Редактор" not in text


@settings(deadline=None)  # a busy machine is no fault of the code
@given(hostile.anything, hostile.anything)
def test_no_text_makes_a_line_that_looks_like_another_turn(said: str, name: str) -> None:
    info = calls.INFO.model_copy(update={"operator": name, "file_name": name, "metadata": {"Тема": name}})
    rendered = txt.render(calls.transcript([calls.turn(said)], call_id=name), info, "ru").decode()
    head, body = rendered.split(f"\n{'-' * 100}\n\n")
    spoken = one_line(said)
    if spoken:
        first, *further = body.removesuffix("\n").split("\n")
        assert first.startswith("[00:00] Оператор: ")
        assert all(line.startswith(" " * 18) for line in further)
        assert body.removeprefix("[00:00] Оператор: ").split() == spoken.split()
    else:
        assert body == "Речи в записи нет.\n"
    assert not any(line.startswith("[") for line in head.split("\n"))


def test_a_word_longer_than_a_line_stays_whole() -> None:
    assert "x" * 40_000 in txt.render(calls.transcript([calls.turn("x" * 40_000)]), None, "en").decode()
