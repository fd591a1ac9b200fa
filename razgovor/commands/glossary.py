"""`razgovor glossary add|list|check|remove`: names and tariffs that the engine is told before it hears a client's calls."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from pipeline.contracts.glossary import GlossaryCheck
from razgovor.cache import cache_folder
from razgovor.commands.evaluate import SourcesArgument, to_be_heard
from razgovor.commands.failures import explained
from razgovor.commands.options import DATA, DataOption
from razgovor.commands.transcribe import get_model
from razgovor.glossary.access import Access
from razgovor.glossary.checking import check
from razgovor.glossary.shelf import Shelf, read_terms
from razgovor.local_transcriber import local_transcriber, settings
from razgovor.transcription.run import model_option
from razgovor.transcription.tables import console as terminal
from razgovor.transcription.tables import progress
from services.ingest.clients import is_client_id

app = typer.Typer(
    help="Names and tariffs that the engine is told before it hears a client's calls.", no_args_is_help=True
)

ClientOption = Annotated[str, typer.Option(help="Whose calls are heard with it.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As `add` printed it: name@hash.")]


def shelf(client: str, data: Path) -> Shelf:
    """A client's glossaries."""
    if not is_client_id(client):
        raise typer.BadParameter("a client's name is 1 to 64 of A-Z a-z 0-9 . _ -", param_hint="--client")
    return Shelf(Access(os.environ, data).store(), client)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="1 to 32 of a-z 0-9 _ -.")],
    file: Annotated[Path, typer.Argument(help="A text file, a term a line.")],
    *,
    client: ClientOption,
    data: DataOption = DATA,
) -> None:
    """Keep a glossary and print its id. It is not used before it has passed `check` and a client is set to it."""
    with explained():
        typer.echo(shelf(client, data).add(read_terms(name, file)))


@app.command("list")
def list_command(*, client: ClientOption, data: DataOption = DATA) -> None:
    """What a client has, and with which models and parameters it passed."""
    table = Table("id", "terms", "passed with model / parameters (sha256)")
    with explained():
        for kept in shelf(client, data).all():
            passed = ", ".join(f"{one.model_sha256[:12]} / {one.parameters_sha256[:12]}" for one in kept.passed) or "-"
            table.add_row(kept.glossary.glossary_id, str(len(kept.glossary.terms)), passed)
    terminal().print(table)


@app.command("check")
def check_command(
    glossary_id: IdArgument,
    sources: SourcesArgument,
    *,
    client: ClientOption,
    refs: Annotated[Path | None, typer.Option(help="Folder of the references; none: beside the recordings.")] = None,
    silence: Annotated[
        list[Path] | None, typer.Option(help="Recordings where nobody speaks: not one word may come out.")
    ] = None,
    model: Annotated[str, typer.Option(envvar="RAZGOVOR_MODEL", help="A model, or its folder.")] = "base",
    language: Annotated[str, typer.Option(help="Spoken.")] = "ru",
    data: DataOption = DATA,
) -> None:
    """Hear calls whose words are known without and with a glossary; allow it with this model and these settings unless it does harm."""
    with explained():
        kept = shelf(client, data).find(glossary_id)
        to_do, _left_out = to_be_heard(sources, refs, silence or [])
    if not to_do:
        raise typer.BadParameter("no recording has a reference", param_hint="--refs")
    place = get_model(model)
    chosen = settings(model=model_option(place), model_cache_dir=cache_folder(os.environ))
    screen = terminal()
    with progress(screen) as bar, explained(), local_transcriber(chosen) as transcriber:
        task = bar.add_task(glossary_id, total=2 * len(to_do), now="")
        found = check(
            kept.glossary,
            transcriber,
            to_do,
            language=language,
            done=lambda name: bar.update(task, advance=1, now=name),
        )
    screen.print(_table(found))
    with explained():
        shelf(client, data).allow(found)
    typer.echo(
        f"{glossary_id} may be used with {found.model} and the parameters {found.parameters_sha256[:12]}: "
        "those of the transcriber's settings here (TRANSCRIBER_*)"
    )


@app.command("remove")
def remove(glossary_id: IdArgument, *, client: ClientOption, data: DataOption = DATA) -> None:
    """Delete a glossary. Calls of a client that is still set to it are heard without, and their transcripts say so."""
    with explained():
        shelf(client, data).remove(glossary_id)


def _table(found: GlossaryCheck) -> Table:
    table = Table("", "errors", "of words", "words on silence")
    for name, errors, silence in (
        ("without", found.errors_without, found.silence_words_without),
        ("with", found.errors_with, found.silence_words_with),
    ):
        table.add_row(name, str(errors), str(found.words), str(silence))
    return table
