"""calls.xlsx: many calls in one workbook, a row for each, and all their dialogues. Called by `razgovor transcribe`.

Both sheets are streamed, so the dialogues may come from a generator that reads one transcript after another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from openpyxl import Workbook

from pipeline.contracts import states
from pipeline.contracts.reasons import reason_text
from pipeline.formats import warnings, xlsx_package, xlsx_styles
from pipeline.formats.call_rows import CallRow, Dialogue, Silence, call_row
from pipeline.formats.head import Share
from pipeline.formats.speakers import dialogue, labels
from pipeline.formats.wording import Wording, wording
from pipeline.formats.xlsx import duration
from pipeline.formats.xlsx_sheet import MAX_ROWS, CellValue, Column, Heading, Link, Sheet, height

__all__ = ["CallRow", "Dialogue", "Silence", "call_row", "calls_workbook"]

_WIDTHS: Final[Mapping[str, float]] = {
    "name": 32,
    "date": 12,
    "time": 10,
    "operator": 20,
    "direction": 13,
    "number": 18,
    "duration": 13,
    "operator_share": 12,
    "customer_share": 12,
    "channel_shares": 18,
    "silence": 14,
    "silence_at": 12,
    "words": 8,
    "confidence": 13,
    "state": 30,
    "warnings": 40,
    "dialogue": 10,
}


def calls_workbook(
    rows: Iterable[CallRow], dialogues: Iterable[Dialogue], locale: str, *, max_rows: int = MAX_ROWS
) -> bytes:
    """An XLSX with a table of calls and, on further sheets, their dialogues.

    Args:
        rows: In the order they shall stand.
        dialogues: In the order they shall stand; a row without one has no link.
        locale: `ru` or `en`.
        max_rows: Rows of a sheet; dialogues that do not fit begin another one.

    Raises:
        Transient: There is no room for temporary files.
    """
    words = wording(locale)
    with xlsx_package.scratch():
        workbook = xlsx_styles.new_workbook(words.sheet_date)
        columns = [Column(words.call_headings[name], width) for name, width in _WIDTHS.items()]
        calls = Sheet(workbook, words.sheets["calls"], columns, frozen_columns=1)
        # The dialogues first: only then is it known which rows the links lead to.
        locations = _write_dialogues(workbook, dialogues, words, max_rows)
        for row in rows:
            calls.append([*_cells(row, words, locale), _link(locations.get(row.key), words)])
        calls.filter_to_here()
        return xlsx_package.to_bytes(workbook, words.sheets["calls"])


def _write_dialogues(
    workbook: Workbook, dialogues: Iterable[Dialogue], words: Wording, max_rows: int
) -> dict[str, str]:
    """Where each dialogue begins, by key. A dialogue that does not fit below the others begins another sheet."""
    sheet = _dialogue_sheet(workbook, words, 1)
    sheets, locations = 1, dict[str, str]()
    for spoken in dialogues:
        lines = list(_lines(spoken, words))
        if sheet.rows + sum(map(height, lines)) > max_rows and sheet.rows > 1:
            sheet.filter_to_here()
            sheets += 1
            sheet = _dialogue_sheet(workbook, words, sheets)
        locations[spoken.key] = sheet.location(sheet.rows + 1)
        for line in lines:
            sheet.append(line)
    sheet.filter_to_here()
    return locations


def _dialogue_sheet(workbook: Workbook, words: Wording, number: int) -> Sheet:
    title = words.dialogue_headings
    columns = (
        Column(title["name"], 32, repeats=True),
        Column(title["start"], 10),
        Column(title["speaker"], 16, repeats=True),
        Column(title["text"], 100),
    )
    return Sheet(workbook, words.sheets["dialogues"] + (f" {number}" if number > 1 else ""), columns)


def _lines(spoken: Dialogue, words: Wording) -> Iterator[list[CellValue]]:
    """A heading for the call with what a reader should know, then its turns; every line says the recording's name."""
    transcript = spoken.transcript
    remarks = [*warnings.sentences(transcript, words), *([] if transcript.turns else [words.no_speech])]
    yield [Heading(spoken.name), Heading(""), Heading(""), Heading(" ".join(remarks))]
    by_channel = labels(transcript, words)
    for turn in dialogue(transcript):
        yield [spoken.name, duration(turn.start_s), by_channel.get(turn.channel), turn.text]


def _cells(row: CallRow, words: Wording, locale: str) -> Iterator[CellValue]:
    """The cells of a row but the last, in the order of `_WIDTHS`."""
    started_at = row.started_at
    yield row.name
    yield None if started_at is None else started_at.date()
    yield None if started_at is None else started_at.time()
    yield row.operator
    yield row.direction and words.directions.get(row.direction, row.direction)
    yield row.customer_number
    yield None if row.duration_s is None else duration(row.duration_s)
    yield _share(row.operator_share)
    yield _share(row.customer_share)
    yield _channel_shares(row, words)
    silence = row.longest_silence
    yield None if silence is None else duration(silence.duration_s)
    yield None if silence is None else duration(silence.start_s)
    yield row.words
    yield _share(row.confidence)
    yield _state(row, words, locale)
    yield " ".join(row.remarks) or None


def _share(value: float | None) -> CellValue:
    return None if value is None else Share(value)


def _channel_shares(row: CallRow, words: Wording) -> CellValue:
    shares = sorted(row.channel_shares.items())
    return ", ".join(f"{words.channel.format(number=index + 1)}: {share:.0%}" for index, share in shares) or None


def _state(row: CallRow, words: Wording, locale: str) -> str:
    """The reason of a failure, else the state; a state of a newer release stands for itself."""
    if row.state == states.FAILED and row.reason is not None:
        return f"{words.states[row.state]}: {reason_text(row.reason, row.details, locale)}"
    if row.state == states.COMPLETED and row.words == 0:
        return f"{words.states[row.state]}. {words.no_speech}"
    return words.states.get(row.state, row.state)


def _link(location: str | None, words: Wording) -> CellValue:
    return None if location is None else Link(words.open_dialogue, location)
