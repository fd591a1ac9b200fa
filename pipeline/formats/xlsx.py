"""XLSX: one call as a workbook, its turns first, what is known of it second. Called through `FORMATS`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pipeline.contracts.call_info import CallInfo
from pipeline.contracts.transcript import Transcript
from pipeline.formats import warnings, xlsx_package, xlsx_styles
from pipeline.formats.head import Fact, Share, facts
from pipeline.formats.speakers import dialogue, labels
from pipeline.formats.timecodes import clock, milliseconds, zone
from pipeline.formats.wording import Wording, wording
from pipeline.formats.xlsx_sheet import CellValue, Column, Heading, Offset, Sheet


def render(transcript: Transcript, info: CallInfo | None, locale: str) -> bytes:
    """A workbook with the sheets turns and call; times are Excel's own, confidence is a share shown as percent."""
    words = wording(locale)
    with xlsx_package.scratch():
        workbook = xlsx_styles.new_workbook(words.sheet_date)
        _write_turns(Sheet(workbook, words.sheets["turns"], _turn_columns(words)), transcript, words)
        _write_call(Sheet(workbook, words.sheets["call"], (Column("", 24), Column("", 90))), transcript, info, words)
        return xlsx_package.to_bytes(workbook, words.title)


def _turn_columns(words: Wording) -> tuple[Column, ...]:
    title = words.turn_headings
    return (
        Column(title["number"], 6, repeats=True),
        Column(title["start"], 10),
        Column(title["end"], 10),
        Column(title["duration"], 10),
        Column(title["speaker"], 16, repeats=True),
        Column(title["text"], 100),
        Column(title["confidence"], 13),
    )


def _write_turns(sheet: Sheet, transcript: Transcript, words: Wording) -> None:
    by_channel = labels(transcript, words)
    for number, turn in enumerate(dialogue(transcript), start=1):
        start, end = duration(turn.start_s), duration(turn.end_s)
        confidence = None if turn.confidence is None else Share(turn.confidence)
        speaker = by_channel.get(turn.channel)
        times = (Offset(start), Offset(end), Offset(max(end - start, timedelta())))
        sheet.append([number, *times, speaker, turn.text, confidence])
    sheet.filter_to_here()
    if not transcript.turns:
        sheet.append([None, None, None, None, None, words.no_speech, None])
    if transcript.partial:
        end_of_file = f"{words.breaks_off}: {clock(transcript.duration_s)}"
        sheet.append([None, None, None, None, None, Heading(end_of_file), None])


def _write_call(sheet: Sheet, transcript: Transcript, info: CallInfo | None, words: Wording) -> None:
    for text in warnings.sentences(transcript, words):
        sheet.append([Heading(words.attention), text])
    for fact in facts(transcript, info, words):
        for label, value in _lines(fact, words):
            sheet.append([Heading(label), value])


def _lines(fact: Fact, words: Wording) -> Iterator[tuple[str, CellValue]]:
    if isinstance(fact.value, datetime):  # Excel knows no zones
        yield fact.label, fact.value
        yield words.labels["zone"], zone(fact.value)
    elif fact.value is not None:
        yield fact.label, fact.value
    else:
        yield fact.label, fact.text if fact.original is None else fact.original


def duration(seconds: float) -> timedelta:
    """Seconds as Excel's time, to the millisecond."""
    return timedelta(milliseconds=milliseconds(seconds))
