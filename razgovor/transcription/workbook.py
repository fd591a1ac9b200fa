"""DIR/calls.xlsx: every recording of a run as a row, every dialogue on the second sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pipeline.contracts import states
from pipeline.contracts.transcript import Transcript
from pipeline.formats.call_rows import Dialogue, call_row
from pipeline.formats.xlsx_calls import calls_workbook
from razgovor.transcription.session import REFUSED
from razgovor.transcription.summary import Row

WORKBOOK: Final = "calls.xlsx"


def workbook(rows: Sequence[Row], transcript_of: Callable[[Row], Transcript | None], locale: str) -> bytes:
    """The workbook over rows and their transcripts, which are read one after another."""
    calls = (
        call_row(
            key=row.file,
            name=row.file,
            state=states.FAILED if row.state == REFUSED else row.state,  # to the sheet's reader it is one thing
            reason=row.reason,
            details=row.details,
            transcript=transcript_of(row),
            locale=locale,
        )
        for row in rows
    )
    dialogues = (Dialogue(row.file, row.file, found) for row in rows if (found := transcript_of(row)) is not None)
    return calls_workbook(calls, dialogues, locale)
