"""calls.xlsx: many calls in one workbook, a row for each, and all their dialogues. Called by `razgovor transcribe` and by
ingest's reports.

Both sheets are streamed, so the dialogues may come from a generator that reads one transcript after another.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO, Final

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

__all__ = ["CallRow", "Dialogue", "Silence", "call_row", "calls_workbook", "write_calls"]

_CHAIN: Final = "chain"
_WIDTHS: Final[Mapping[str, float]] = {
    "name": 32,
    "date": 12,
    "time": 10,
    "operator": 20,
    "direction": 13,
    "number": 18,
    _CHAIN: 18,
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
    """The workbook that `write_calls` writes, as bytes; a column for chains if any row is part of one."""
    listed, made = list(rows), io.BytesIO()
    write_calls(made, listed, dialogues, locale, chained=lambda: any(row.chain for row in listed), max_rows=max_rows)
    return made.getvalue()


def write_calls(
    target: BinaryIO,
    rows: Iterable[CallRow],
    dialogues: Iterable[Dialogue],
    locale: str,
    *,
    chained: Callable[[], bool],
    max_rows: int = MAX_ROWS,
) -> None:
    """Write an XLSX with a table of calls and, on further sheets, their dialogues.

    Args:
        target: Where it goes; seekable.
        rows: In the order they shall stand; read when all dialogues have been.
        dialogues: In the order they shall stand; a row without one has no link.
        locale: `ru` or `en`.
        chained: Whether there is a column for chains; asked when all dialogues have been read.
        max_rows: Rows of a sheet; dialogues that do not fit begin another one.

    Raises:
        Transient: There is no room for temporary files.
    """
    words = wording(locale)
    with xlsx_package.scratch():
        workbook = xlsx_styles.new_workbook(words.sheet_date)
        with xlsx_package.dropped_on_failure(workbook):
            # The dialogues first: only then is it known which rows the links lead to.
            locations = _write_dialogues(workbook, dialogues, words, max_rows)
            names = [name for name in _WIDTHS if name != _CHAIN or chained()]
            columns = [Column(words.call_headings[name], _WIDTHS[name]) for name in names]
            calls = Sheet(workbook, words.sheets["calls"], columns, frozen_columns=1, at=0)
            for row in rows:
                cells = {**_cells(row, words, locale), "dialogue": _link(locations.get(row.key), words)}
                calls.append([cells[name] for name in names])
            calls.filter_to_here()
        xlsx_package.write(workbook, words.sheets["calls"], target)


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


def _cells(row: CallRow, words: Wording, locale: str) -> dict[str, CellValue]:
    """The cells of a row by column, without the link to its dialogue."""
    started_at, silence = row.started_at, row.longest_silence
    return {
        "name": row.name,
        "date": None if started_at is None else started_at.date(),
        "time": None if started_at is None else started_at.time(),
        "operator": row.operator,
        "direction": row.direction and words.directions.get(row.direction, row.direction),
        "number": row.customer_number,
        _CHAIN: row.chain,
        "duration": None if row.duration_s is None else duration(row.duration_s),
        "operator_share": _share(row.operator_share),
        "customer_share": _share(row.customer_share),
        "channel_shares": _channel_shares(row, words),
        "silence": None if silence is None else duration(silence.duration_s),
        "silence_at": None if silence is None else duration(silence.start_s),
        "words": row.words,
        "confidence": _share(row.confidence),
        "state": _state(row, words, locale),
        "warnings": " ".join(row.remarks) or None,
    }


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
