"""One run over recordings, from the files to DIR: what is new is done, what was done is kept. Called by the commands."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from pipeline.contracts.transcript import Transcript
from razgovor.client import IngestClient
from razgovor.embedded.account import server_account
from razgovor.embedded.postgres_place import home_mode
from razgovor.stack.stack import Stack
from razgovor.texts import Locale, text
from razgovor.transcription.recordings import Recording, sha256_of
from razgovor.transcription.session import Session, Wanted
from razgovor.transcription.summary import Row, Summary, done_before
from razgovor.transcription.tables import progress
from razgovor.transcription.workbook import WORKBOOK, workbook
from services.ingest.admin import create_key
from services.ingest.clients import Client
from services.transcriber.models import Model

#: The client whose calls these are.
CLIENT: Final = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a run.

    Attributes:
        rows: In the order of the recordings.
        skipped: How many of them were done before.
        out: Where everything lies.
    """

    rows: tuple[Row, ...]
    skipped: int
    out: Path

    def transcript(self, row: Row) -> Transcript | None:
        """A row's transcript, read when it is asked for: a month of calls need not fit into memory."""
        name = row.artefacts.get("json")
        return None if name is None else Transcript.from_bytes((self.out / name).read_bytes())

    def transcripts(self) -> dict[str, Transcript]:
        """All transcripts by file."""
        return {row.file: found for row in self.rows if (found := self.transcript(row)) is not None}


def model_option(model: Model) -> str:
    """How a worker is told of a model: by its name in the catalogue, or by its folder."""
    return str(model.folder) if model.source == "folder" else model.name


@contextmanager
def temporary_stack(model: Model, cache: Path, console: Console, locale: Locale) -> Iterator[Stack]:
    """The one-machine stack for as long as the context lasts, in a folder of its own that goes with it."""
    with tempfile.TemporaryDirectory(prefix="razgovor-") as name:
        # As root the database runs as another account, which must be able to pass through this folder of ours.
        Path(name).chmod(home_mode(server_account()))
        stack = Stack(Path(name) / "stack", model=model_option(model), model_cache=cache, temporary=True)
        with console.status(text("starting", locale)):
            stack.start()
        try:
            yield stack
        finally:
            stack.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done.

    Attributes:
        recordings: All of them, with the sha256 of their audio.
        known: Rows of an earlier run that still hold, by file.
        wanted: What every recording is asked for.
    """

    recordings: tuple[tuple[Recording, str], ...]
    known: dict[str, Row]
    wanted: Wanted

    @property
    def new(self) -> list[tuple[Recording, str]]:
        """What is to be done now."""
        return [pair for pair in self.recordings if pair[0].name not in self.known]


def plan(recordings: Sequence[Recording], wanted: Wanted, out: Path, *, redo: bool) -> Plan:
    """Hash the recordings and leave out what an earlier run did alike: same audio, model and parameters."""
    hashed = tuple((recording, sha256_of(recording.path)) for recording in recordings)
    earlier = {} if redo else done_before(out)
    known = {
        recording.name: earlier[recording.name]
        for recording, audio_sha256 in hashed
        if recording.name in earlier and earlier[recording.name].key == wanted.key(audio_sha256)
    }
    return Plan(recordings=hashed, known=known, wanted=wanted)


def carry(stack: Stack, to_do: Plan, out: Path, console: Console, locale: Locale) -> dict[str, Row]:
    """Carry what is new through the stack; its rows by file."""
    rows: dict[str, Row] = {}
    with (
        IngestClient.connect(
            stack.ingest_url, create_key(stack.database_urls.ingest, Client(client_id=CLIENT, name=CLIENT))
        ) as client,
        progress(console) as bar,
    ):
        task = bar.add_task(text("work", locale), total=len(to_do.new), now="")

        def show(recording: Recording, state: str) -> None:
            bar.update(task, now=f"{recording.name}: {text(state, locale)}")

        for row in Session(client, out, to_do.wanted, show).run(to_do.new):
            rows[row.file] = row
            bar.advance(task)
    return rows


def finish(to_do: Plan, done: dict[str, Row], model: Model, out: Path, locale: Locale) -> Result:
    """Write DIR/summary.json and DIR/calls.xlsx over old and new rows."""
    rows = tuple((to_do.known | done)[recording.name] for recording, _ in to_do.recordings)
    Summary(model=model.name, model_sha256=model.sha256, rows=rows).write(out)
    result = Result(rows=rows, skipped=len(to_do.known), out=out)
    (out / WORKBOOK).write_bytes(workbook(rows, result.transcript, locale))
    return result
