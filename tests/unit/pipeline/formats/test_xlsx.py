from __future__ import annotations

import io
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from pipeline.contracts.transcript import Transcript
from pipeline.errors import Transient
from pipeline.formats import xlsx
from pipeline.formats.plain import clean
from tests.unit.pipeline.formats import calls, hostile, workbooks


def _said(texts: list[str]) -> Transcript:
    return calls.transcript(
        [calls.turn(text, start_s=number, end_s=number + 1, timed=False) for number, text in enumerate(texts)]
    )


def _read_back(data: bytes) -> list[str]:
    """The text of every turn, rows that go on joined by their number."""
    workbook = workbooks.read(data)
    numbers = [cell.value for cell in workbooks.column(workbook, "Turns", "No.")]
    texts = [workbooks.text_of(cell) for cell in workbooks.column(workbook, "Turns", "Text")]
    joined: dict[object, str] = {}
    for number, text in zip(numbers, texts, strict=True):
        joined[number] = joined.get(number, "") + text
    return list(joined.values())


@settings(max_examples=15, deadline=None)
@given(st.lists(hostile.anything, min_size=1, max_size=30), hostile.anything)
def test_any_text_comes_back_the_same_minus_controls(texts: list[str], name: str) -> None:
    info = calls.INFO.model_copy(update={"operator": name, "file_name": name, "metadata": {name: name}})
    data = xlsx.render(_said(texts), info, "en")
    workbooks.assert_sound(data)
    assert _read_back(data) == [clean(text) for text in texts]


def test_hostile_texts_are_text_cells_with_the_same_text() -> None:
    data = xlsx.render(_said(list(hostile.TEXTS)), None, "en")
    workbooks.assert_sound(data)
    cells = workbooks.column(workbooks.read(data), "Turns", "Text")
    for cell, text in zip(cells, hostile.TEXTS, strict=True):
        assert workbooks.text_of(cell) == clean(text)
        assert cell.data_type == ("s" if clean(text) else "n")
        assert cell.style == "razgovor text"


@pytest.mark.parametrize(
    "text",
    ["x" * 40_000, "слово " * 20_000, "😀" * 40_000, "_x0041_" * 6_000, "=" * 40_000, "\n" * 40_000],
    ids=["one word", "words", "beyond the BMP", "escapes", "equals", "line feeds"],
)
def test_a_long_text_goes_on_below_and_nothing_is_cut(text: str) -> None:
    data = xlsx.render(_said(["раньше", text, "потом"]), None, "en")
    workbooks.assert_sound(data)
    assert _read_back(data) == ["раньше", text, "потом"]


def test_rows_that_go_on_repeat_number_and_speaker_but_no_time() -> None:
    workbook = workbooks.read(xlsx.render(_said(["x" * 40_000]), None, "en"))
    [headings, first, second] = [[cell.value for cell in row] for row in workbook["Turns"].iter_rows()]
    assert headings == ["No.", "Start", "End", "Length", "Speaker", "Text", "Confidence"]
    assert first == [1, timedelta(), timedelta(seconds=1), timedelta(seconds=1), "Operator", "x" * 32_000, 0.9]
    assert second == [1, None, None, None, "Operator", "x" * 8_000, None]


@pytest.mark.parametrize(("text", "is_quoted"), [("=1+1", True), ("+7 900 000-00-00", True), ("да", False)])
def test_editing_a_cell_does_not_make_it_a_formula(text: str, is_quoted: bool) -> None:  # noqa: FBT001  a parameter of the test
    [cell] = workbooks.column(workbooks.read(xlsx.render(_said([text]), None, "en")), "Turns", "Text")
    assert cell.quotePrefix is is_quoted


def test_turns_can_be_filtered_counted_with_and_read() -> None:
    workbook = workbooks.read(xlsx.render(calls.conversation(), calls.INFO, "ru"))
    assert workbook.sheetnames == ["Реплики", "Звонок"]
    sheet = workbook["Реплики"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.print_title_rows) == ("A2", "A1:G7", "$1:$1")
    assert sheet.column_dimensions["F"].width == 100
    [text] = [cell for cell in workbooks.column(workbook, "Реплики", "Текст") if cell.row == 2]
    assert (text.alignment.wrap_text, text.alignment.vertical) == (True, "top")
    [start, end, length] = [workbooks.column(workbook, "Реплики", name)[3] for name in ("Начало", "Конец", "Длит.")]
    assert [cell.value for cell in (start, end, length)] == [
        timedelta(seconds=15.56),
        timedelta(seconds=41),
        timedelta(seconds=25.44),
    ]
    assert start.number_format == "[mm]:ss.0"
    assert [cell.value for cell in workbooks.column(workbook, "Реплики", "Говорит")][:2] == ["Оператор", "Клиент"]
    [confidence, *_] = workbooks.column(workbook, "Реплики", "Уверенность")
    assert (confidence.value, confidence.number_format) == (0.9, "0%")


def test_a_partial_call_says_on_both_sheets_what_is_missing() -> None:
    workbook = workbooks.read(xlsx.render(calls.conversation(), None, "ru"))
    assert workbooks.column(workbook, "Реплики", "Текст")[-1].value == "Запись обрывается здесь: 01:24"
    first = [cell.value for cell in next(workbook["Звонок"].iter_rows())]
    assert first == ["Внимание", "Запись неполная: заявлено 252,0 с (04:12), прочитано 84,2 с (01:24)."]


def test_the_call_sheet_says_all_that_is_known() -> None:
    workbook = workbooks.read(xlsx.render(calls.conversation(), calls.INFO, "en"))
    known = {str(label.value): value for label, value in workbook["Call"].iter_rows()}
    assert {label: cell.value for label, cell in known.items()} == {
        "Attention": "The recording is incomplete: 252.0 s (04:12) declared, 84.2 s (01:24) decoded.",
        "Call": "call-job-1",
        "Date and time": datetime(2026, 3, 14, 10, 15, 30),  # noqa: DTZ001  Excel knows no zones
        "Time zone": "UTC+03:00",
        "Direction": "inbound",
        "Operator": "Иванова А. П.",
        "Customer number": "+7 900 000-00-00",
        "Queue": "Поддержка",
        "File": "2026-03-14_101530.wav",
        "Тема": "Перевод",
        "Duration": timedelta(seconds=84.2),
        "Channels": "stereo",
        "Speech": "Operator 00:10, Customer 00:10",
        "Words": 77,
        "Confidence": 0.9,
        "Language": "ru",
        "Model": "base (sha256 905e5bf8336b)",
        "Engine": "faster-whisper/1.2.1",
        "Job": "job-1 (run 1)",
    }
    assert known["Date and time"].number_format == "yyyy-mm-dd hh:mm:ss"
    assert known["Duration"].number_format == "[h]:mm:ss"


def test_a_long_metadata_value_goes_on_below() -> None:
    info = calls.INFO.model_copy(update={"metadata": {"note": "x" * 40_000}})
    workbook = workbooks.read(xlsx.render(calls.transcript(), info, "en"))
    rows = [[cell.value for cell in row] for row in workbook["Call"].iter_rows()]
    first = rows.index(["note", "x" * 32_000])
    assert rows[first + 1] == [None, "x" * 8_000]


@pytest.mark.parametrize("year", [1, 1899, 1900])
def test_a_date_before_excels_calendar_is_text(year: int) -> None:
    info = calls.INFO.model_copy(update={"started_at": datetime(year, 2, 3, tzinfo=UTC)})
    workbook = workbooks.read(xlsx.render(calls.transcript(), info, "en"))
    known = {label.value: value.value for label, value in workbook["Call"].iter_rows()}
    assert str(known["Date and time"]).endswith("-02-03 00:00:00")
    assert isinstance(known["Date and time"], str)


def test_a_silent_call_says_that_nobody_speaks() -> None:
    workbook = workbooks.read(xlsx.render(calls.transcript(), None, "ru"))
    assert [cell.value for cell in workbooks.column(workbook, "Реплики", "Текст")] == ["Речи в записи нет."]


def test_a_mono_call_names_no_speaker() -> None:
    call = calls.transcript([calls.turn("да", role=None)], channel_mode="mono")
    workbook = workbooks.read(xlsx.render(call, None, "ru"))
    assert [cell.value for cell in workbooks.column(workbook, "Реплики", "Говорит")] == [None]


def test_a_temporary_folder_that_takes_no_files_is_no_fault_of_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    with pytest.raises(Transient):
        xlsx.render(calls.conversation(), calls.INFO, "ru")


def test_the_streamed_workbook_also_opens_read_only() -> None:
    data = xlsx.render(calls.conversation(), calls.INFO, "ru")
    workbook = load_workbook(io.BytesIO(data), read_only=True)
    assert [row[5] for row in workbook["Реплики"].iter_rows(min_row=6, max_row=7, values_only=True)] == [
        "Понимаю.",
        "Да.",
    ]
    workbook.close()
