"""`razgovor backup` and `razgovor restore`: a one-machine stack saved while it runs, and brought back elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import RazgovorError
from razgovor.backup import carrying


def backup(
    *,
    out: Annotated[Path, typer.Option(help="Folder of the backup; an earlier one is brought up to date.")],
    data: Annotated[Path, typer.Option(help="The folder of a running `razgovor up`.")] = Path("razgovor-data"),
) -> None:
    """Save database and store while they are in use."""
    try:
        copied = carrying.back_up(data, out.absolute())
    except RazgovorError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(f"database dumped, {copied} objects copied")


def restore(
    *,
    backup_folder: Annotated[Path, typer.Option("--from", help="The folder of the backup.")],
    data: Annotated[Path, typer.Option(help="The folder of the new stack.")] = Path("razgovor-data"),
) -> None:
    """Make the folder of a new stack out of a backup."""
    try:
        carrying.bring_back(backup_folder.absolute(), data)
    except RazgovorError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(f"restored; start it: razgovor up --data {data}")
