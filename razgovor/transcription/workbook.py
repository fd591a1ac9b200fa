"""DIR/calls.xlsx: every recording of a run as a row, every dialogue on the second sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pipeline.contracts.transcript import Transcript
from razgovor.transcription.summary import Row
from services.exporter.formats.call_rows import Dialogue, call_row
from services.exporter.formats.xlsx_calls import calls_workbook

WORKBOOK: Final = "calls.xlsx"


def workbook(rows: Sequence[Row], transcripts: Mapping[str, Transcript], locale: str) -> bytes:
    """The workbook over rows and their transcripts (by file)."""
    calls = [
        call_row(
            key=row.file,
            name=row.file,
            state=row.state,
            reason=row.reason,
            details=row.details,
            transcript=transcripts.get(row.file),
            locale=locale,
        )
        for row in rows
    ]
    dialogues = [Dialogue(file, file, transcript) for file, transcript in transcripts.items()]
    return calls_workbook(calls, dialogues, locale)
