"""`razgovor watch`: folders and SFTP servers whose recordings are fetched. Joined by `razgovor.__main__`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Column, Table

from pipeline.errors import RazgovorError
from razgovor.commands.failures import fail
from razgovor.commands.options import JsonOption
from services.ingest.watching.trial import COLUMNS, Tried, patterns_named, tried

app = typer.Typer(help="Folders and SFTP servers whose recordings are fetched.", no_args_is_help=True)

WatchFileOption = Annotated[
    Path | None,
    typer.Option(help="What is watched, as TOML: docs/watching.md.", envvar="INGEST_WATCH_FILE", show_default=False),
]


@app.callback()
def root() -> None:
    """Folders and SFTP servers whose recordings are fetched."""


@app.command("test")
def try_pattern(
    pattern: Annotated[
        str, typer.Argument(help="oktell, asterisk, one of the watch file, or a path with {fields}.", metavar="PATTERN")
    ],
    files: Annotated[list[str], typer.Argument(help="Names or paths; nothing is opened.", metavar="FILE...")],
    *,
    zone: Annotated[str | None, typer.Option(help="Of the PBX's clock: Europe/Moscow.", show_default=False)] = None,
    journal: Annotated[Path | None, typer.Option(help="An export of Oktell's connections.", show_default=False)] = None,
    watch_file: WatchFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a pattern reads out of names. Exits with 1 if it does not read one of them."""
    try:
        found = list(tried(patterns_named(pattern, watch_file), files, zone_name=zone, journal_file=journal))
    except (RazgovorError, ValueError) as error:
        fail(str(error), cause=error)
    if as_json:
        typer.echo(json.dumps([{"file": one.file, "reads": one.reads} for one in found], ensure_ascii=False, indent=2))
    else:
        _present(found)
    if not all(one.reads for one in found):
        raise typer.Exit(1)


def _present(found: list[Tried]) -> None:
    said = [name for name in COLUMNS if any(name in (one.reads or {}) for one in found)]
    table = Table(*(Column(name, overflow="fold") for name in ("file", *said, "")), box=box.SIMPLE)
    for one in found:
        note = "[green]read[/green]" if one.reads else "[red]not of this pattern[/red]"
        table.add_row(_plain(one.file), *(_plain((one.reads or {}).get(name, "")) for name in said), note)
    console = Console()
    console.print(table)
    read = sum(one.reads is not None for one in found)
    console.print(f"{read} of {len(found)} read", highlight=False)


def _plain(text: str) -> str:
    """A stranger's text as a cell: no markup, nothing that moves the cursor."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text).replace(
        "[", r"\["
    )
