"""`razgovor transcribe FILE|FOLDER... --out DIR`: one's own recordings, on this machine, in one command."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

import pipeline.formats
from pipeline.audio import Headerless
from pipeline.audio.headerless import Codec
from pipeline.errors import Fatal
from razgovor.cache import cache_folder
from razgovor.commands.download_bar import download_bar
from razgovor.texts import Locale, text
from razgovor.transcription import recordings, tables
from razgovor.transcription.run import Result, carry, finish, plan, temporary_stack
from razgovor.transcription.session import Wanted
from razgovor.transcription.workbook import WORKBOOK
from services.transcriber import models
from services.transcriber.models import Model

#: What is made where nobody says.
FORMATS: Final = ("txt", "vtt", "xlsx", "json")

ModelOption = Annotated[
    str, typer.Option("--model", envvar="RAZGOVOR_MODEL", help="A model of `razgovor models list`, or a folder.")
]
LocaleOption = Annotated[Locale, typer.Option("--lang", help="Language of tables, reasons and exports: ru or en.")]


def transcribe(
    sources: Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER...", help="Recordings, or folders of them.")],
    *,
    out: Annotated[Path, typer.Option(help="Where results go.")],
    model: ModelOption = "base",
    channels: Annotated[str, typer.Option(help="Role by channel; empty if not known.")] = "operator,customer",
    formats: Annotated[
        str, typer.Option(help=f"Artefacts, comma separated, out of {', '.join(pipeline.formats.FORMATS)}.")
    ] = ",".join(FORMATS),
    codec: Annotated[
        Codec | None, typer.Option(help="Of recordings without a header, G.711 samples alone: alaw or ulaw.")
    ] = None,
    sample_rate_hz: Annotated[int | None, typer.Option(min=4000, max=48_000, help="Of these: with --codec.")] = None,
    channel_count: Annotated[int | None, typer.Option(min=1, max=32, help="Of these: with --codec.")] = None,
    redo: Annotated[bool, typer.Option("--redo", help="Also what was done before.")] = False,
    lang: LocaleOption = "ru",
) -> None:
    """Transcribe recordings. Running again does only what is new."""
    console = tables.console()
    headerless = _declared(codec, sample_rate_hz, channel_count)
    try:
        found = recordings.find(sources, headerless=headerless is not None)
    except FileNotFoundError as error:
        raise typer.BadParameter(f"{error} is not there", param_hint="FILE|FOLDER") from error
    if not found:
        raise typer.BadParameter("no recordings found", param_hint="FILE|FOLDER")
    weights = get_model(model)
    wanted = Wanted(
        channels=_listed(channels),
        formats=_known_formats(formats),
        locale=lang,
        headerless=headerless,
        fingerprint=weights.sha256,
    )
    make_folder(out)
    to_do = plan(found, wanted, out, redo=redo)
    done = {}
    if to_do.new:
        with temporary_stack(weights, cache_folder(os.environ), console, lang) as stack:
            done = carry(stack, to_do, out, console, lang)
    result = finish(to_do, done, weights, out, lang)
    show(result, console, lang)
    if not all(row.is_done for row in result.rows):
        raise typer.Exit(1)


def get_model(name: str) -> Model:
    """The model, fetched with a progress bar if it is not here; a refusal ends the command in plain words."""
    try:
        with download_bar(name) as progress:
            return models.resolve(name, cache=cache_folder(os.environ), progress=progress)
    except Fatal as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def make_folder(out: Path) -> None:
    """DIR, for its owner only where we make it: transcripts are as confidential as recordings."""
    if not out.exists():
        out.mkdir(mode=0o700, parents=True)


def show(result: Result, console: Console, locale: Locale) -> None:
    """Table, warnings, and where everything lies."""
    console.print(tables.table(result.rows, locale))
    for line in tables.reasons(result.rows):
        console.print(line, style="red", markup=False)
    if result.skipped:
        console.print(text("skipped", locale, count=result.skipped))
    if mono := tables.mono_warning(result.rows, locale):
        console.print(mono, style="yellow")
    console.print(text("results", locale, folder=str(result.out)), markup=False)
    console.print(text("calls_workbook", locale, path=str(result.out / WORKBOOK)), markup=False)


def _declared(codec: Codec | None, sample_rate_hz: int | None, channel_count: int | None) -> Headerless | None:
    if codec is not None and sample_rate_hz is not None and channel_count is not None:
        return Headerless(codec, sample_rate_hz, channel_count)
    if codec is not None or sample_rate_hz is not None or channel_count is not None:
        raise typer.BadParameter("--codec, --sample-rate-hz and --channel-count come together", param_hint="--codec")
    return None


def _listed(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _known_formats(value: str) -> tuple[str, ...]:
    wanted = _listed(value)
    if unknown := set(wanted) - set(pipeline.formats.FORMATS):
        known = ", ".join(pipeline.formats.FORMATS)
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: not one of {known}", param_hint="--formats")
    return wanted
