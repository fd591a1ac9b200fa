"""DIR/summary.json: what became of each recording, so that a second run does only what is new."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError

from pipeline.contracts.events import Timings, Value

FILE_NAME: Final = "summary.json"


class Row(Value):
    """One recording.

    Attributes:
        file: Its name relative to what was named on the command line.
        key: What its result depends on: hash of the audio, of the model, of the parameters. The same key is not done again.
        state: The job's last state, or `refused` where ingest did not take the file.
        artefacts: File names below DIR by format.
        engine_s: Seconds in the engine; `total_s` from upload to the end.
    """

    file: str
    key: str
    job_id: str | None = None
    state: str
    reason: str | None = None
    details: dict[str, str] = Field(default_factory=dict)
    reason_text: str | None = None
    duration_s: float | None = None
    channels: int | None = None
    channel_mode: str | None = None
    words: int | None = None
    confidence: float | None = None
    speech_s: float | None = None
    warnings: tuple[str, ...] = ()
    timings: Timings | None = None
    total_s: float | None = None
    artefacts: dict[str, str] = Field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to try."""
        return self.state == "completed"


class Summary(Value):
    """All recordings of a folder of results."""

    schema_: Literal["razgovor.summary/1"] = Field(default="razgovor.summary/1", alias="schema")
    model: str
    model_sha256: str
    rows: tuple[Row, ...]

    def write(self, folder: Path) -> None:
        """Replace the folder's summary.json whole."""
        scratch = folder / f"{FILE_NAME}.tmp"
        scratch.write_text(self.model_dump_json(by_alias=True, indent=1), encoding="utf-8")
        scratch.replace(folder / FILE_NAME)


def done_before(folder: Path) -> dict[str, Row]:
    """Rows of an earlier run by file, those whose results are still there."""
    try:
        summary = Summary.model_validate_json((folder / FILE_NAME).read_bytes())
    except (FileNotFoundError, ValidationError):
        return {}  # none yet, or of another release: everything is done again
    return {
        row.file: row
        for row in summary.rows
        if row.is_done and all((folder / name).is_file() for name in row.artefacts.values())
    }
