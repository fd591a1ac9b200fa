"""`razgovor bundle`: one tar that installs razgovor on a machine without a network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from razgovor.bundle.archive import make_bundle
from razgovor.cache import cache_folder
from razgovor.commands.failures import explained
from razgovor.embedded.owned_process import SOURCE_ROOT
from services.transcriber import models


def bundle(
    *,
    out: Annotated[Path, typer.Option(help="Folder of the tar.")] = Path("dist"),
    model: Annotated[str, typer.Option(help="The model that goes along.")] = "base",
    kafka: Annotated[
        bool, typer.Option(help="Whether Kafka's jars go along (needs Java and Maven here, Java there).")
    ] = True,
) -> None:
    """Make one tar with everything that a machine without a network needs. From a source tree."""
    console = Console(highlight=False, stderr=True)
    with explained():
        cache = cache_folder(os.environ)
        name = models.get(model, cache=cache).name
        with console.status("bundle") as spinner:
            tell = spinner.update if console.is_terminal else console.print
            tar = make_bundle(SOURCE_ROOT, out.absolute(), cache, name, tell, kafka=kafka)
    typer.echo(f"{tar} ({tar.stat().st_size / 1e6:.0f} MB)")
