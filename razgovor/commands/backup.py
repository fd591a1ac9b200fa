"""`razgovor backup` and `razgovor restore`: a one-machine stack saved while it runs, and brought back elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from razgovor.backup import carrying
from razgovor.commands.failures import explained
from razgovor.commands.options import DATA, DataOption


def backup(
    *,
    out: Annotated[Path, typer.Option(help="Folder of the backup; an earlier one is brought up to date.")],
    data: DataOption = DATA,
) -> None:
    """Save database and store while they are in use."""
    with explained():
        copied = carrying.back_up(data, out.absolute())
    typer.echo(f"database dumped, {copied} objects copied")


def restore(
    *,
    backup_folder: Annotated[Path, typer.Option("--from", help="The folder of the backup.")],
    data: Annotated[Path, typer.Option(help="The folder of the new stack.")] = DATA,
) -> None:
    """Make the folder of a new stack out of a backup."""
    with explained():
        carrying.bring_back(backup_folder.absolute(), data)
    typer.echo(f"restored; start it: razgovor up --data {data}")
