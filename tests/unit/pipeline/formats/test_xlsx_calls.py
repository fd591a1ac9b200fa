from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from pipeline.contracts.transcript import Channel
from pipeline.formats.plain import clean
from pipeline.formats.xlsx_calls import CallRow, Dialogue, call_row, calls_workbook
from tests.unit.pipeline.formats import calls, hostile, workbooks


def _row(row: CallRow, locale: str = "ru") -> dict[str, Any]:
    workbook = workbooks.read(calls_workbook([row], [], locale))
    headings, values = workbook.worksheets[0].iter_rows(values_only=True)
    return dict(zip(map(str, headings), values, strict=True))


def test_a_row_a_call_in_the_readers_language() -> None:
    row = call_row(
        key="k", name="папка/a.wav", state="completed", transcript=calls.conversation(), info=calls.INFO, locale="ru"
    )
    assert _row(row) == {
        "Запись": "папка/a.wav",
        "Дата": datetime(2026, 3, 14),  # noqa: DTZ001  Excel knows no zones
        "Время": time(10, 15, 30),
        "Оператор": "Иванова А. П.",
        "Направление": "входящий",
        "Номер клиента": "+7 900 000-00-00",
        "Длительность": timedelta(seconds=84.2),
        "Доля речи: оператор": 0.5,
        "Доля речи: клиент": 0.5,
        "Доля речи по каналам": None,
        "Самая долгая пауза": timedelta(seconds=41.8),
        "Начало паузы": timedelta(seconds=42.4),
        "Слов": 77,
        "Уверенность": 0.9,
        "Состояние": "Готов",
        "Замечания": "Запись неполная: заявлено 252,0 с (04:12), прочитано 84,2 с (01:24).",
        "Диалог": None,
    }


@pytest.mark.parametrize(
    ("row", "locale", "text"),
    [
        (CallRow(key="k", name="a", state="completed", words=3), "en", "Completed"),
        (CallRow(key="k", name="a", state="completed", words=0), "ru", "Готов. Речи в записи нет."),
        (
            CallRow(key="k", name="a", state="failed", reason="too_long", details={"limit_s": "60"}),
            "ru",
            "Ошибка: Запись слишком длинная: больше 60 с не принимается.",
        ),
        (CallRow(key="k", name="a", state="failed", reason="of_tomorrow"), "en", "Failed: of_tomorrow"),
        (CallRow(key="k", name="a", state="failed"), "en", "Failed"),
        (CallRow(key="k", name="a", state="of_tomorrow"), "en", "of_tomorrow"),
    ],
)
def test_the_state_says_why_a_call_failed(row: CallRow, locale: str, text: str) -> None:
    assert _row(row, locale)["State" if locale == "en" else "Состояние"] == text


def test_channels_without_roles_share_one_cell() -> None:
    channels = tuple(Channel(index=index, role=None, speech_s=seconds) for index, seconds in enumerate((3.0, 1.0)))
    call = calls.transcript(channels=channels)
    row = call_row(key="k", name="a", state="completed", transcript=call, locale="en")
    assert _row(row, "en")["Speech by channel"] == "Channel 1: 75%, Channel 2: 25%"


def test_every_row_leads_to_its_dialogue() -> None:
    spoken = [
        Dialogue("b", "b.wav", calls.transcript([calls.turn("x" * 40_000), calls.turn("да", start_s=5)])),
        Dialogue("a", "a.wav", calls.conversation()),
        Dialogue("c", "c.wav", calls.transcript()),
    ]
    rows = [CallRow(key=key, name=f"{key}.wav", state="completed") for key in ("a", "b", "c", "without")]
    data = calls_workbook(rows, spoken, "ru")
    workbooks.assert_sound(data)
    workbook = workbooks.read(data)
    links = [cell.hyperlink for cell in workbooks.column(workbook, "Звонки", "Диалог")]
    assert [link and link.location for link in links] == ["'Диалоги'!A6", "'Диалоги'!A2", "'Диалоги'!A13", None]
    names = {row: workbook["Диалоги"].cell(row, 1).value for row in (2, 6, 13)}
    assert names == {2: "b.wav", 6: "a.wav", 13: "c.wav"}


def test_a_dialogue_is_its_heading_and_its_turns_each_with_the_recordings_name() -> None:
    workbook = workbooks.read(calls_workbook([], [Dialogue("a", "a.wav", calls.conversation())], "en"))
    [headings, first, second, *_] = list(workbook["Dialogues"].iter_rows(values_only=True))
    assert headings == ("Recording", "Time", "Speaker", "Text")
    assert first[0] == "a.wav"
    assert str(first[3]).startswith("The recording is incomplete")
    assert second == (
        "a.wav",
        timedelta(seconds=0.8),
        "Operator",
        "Добрый день, банк Северный, специалист Александр. Как я могу к вам обращаться?",
    )


def test_dialogues_that_do_not_fit_begin_another_sheet() -> None:
    spoken = [
        Dialogue(str(n), f"{n}.wav", calls.transcript([calls.turn("да"), calls.turn("x" * 33_000)])) for n in range(3)
    ]
    rows = [CallRow(key=str(n), name=f"{n}.wav", state="completed") for n in range(3)]
    workbook = workbooks.read(calls_workbook(rows, spoken, "en", max_rows=9))
    assert workbook.sheetnames == ["Calls", "Dialogues", "Dialogues 2"]
    assert [cell.hyperlink and cell.hyperlink.location for cell in workbooks.column(workbook, "Calls", "Dialogue")] == [
        "'Dialogues'!A2",
        "'Dialogues'!A6",
        "'Dialogues 2'!A2",
    ]
    assert [sheet.max_row for sheet in workbook.worksheets[1:]] == [9, 5]
    assert [sheet.auto_filter.ref for sheet in workbook.worksheets] == ["A1:Q4", "A1:D9", "A1:D5"]


def test_the_table_keeps_headings_and_names_in_sight() -> None:
    sheet = workbooks.read(calls_workbook([], [], "ru")).worksheets[0]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B2", "A1:Q1")


@settings(max_examples=15, deadline=None)
@given(hostile.anything, hostile.anything)
def test_any_text_comes_back_the_same_minus_controls(name: str, said: str) -> None:
    row = CallRow(
        key=name, name=name, state=said, operator=name, direction=said, customer_number=name, remarks=(name, said)
    )
    data = calls_workbook([row], [Dialogue(name, name, calls.transcript([calls.turn(said)]))], "en")
    workbooks.assert_sound(data)
    workbook = workbooks.read(data)
    for heading, text in {"Recording": name, "Operator": name, "Direction": said, "Customer number": name}.items():
        [cell] = workbooks.column(workbook, "Calls", heading)
        assert workbooks.text_of(cell) == clean(text)
    assert [workbooks.text_of(cell) for cell in workbooks.column(workbook, "Dialogues", "Text")] == ["", clean(said)]
