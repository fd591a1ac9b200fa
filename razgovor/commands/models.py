"""`razgovor models list|get|verify`: what `services.transcriber.models` does, for people. Joined by `razgovor.__main__`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from pipeline.errors import Fatal
from razgovor.cache import CACHE_VARIABLE, cache_folder
from razgovor.commands.download_bar import download_bar
from services.transcriber import models
from services.transcriber.models import Listing, Verification

_MEGABYTE: Final = 1_000_000
_STATE_COLOURS: Final = {"ready": "green", "absent": "dim", "damaged": "red"}

app = typer.Typer(help="Models: which there are, get one, check what lies in the cache.", no_args_is_help=True)

CacheOption = Annotated[
    Path | None,
    typer.Option("--cache", envvar=CACHE_VARIABLE, help="Where models are kept.", show_default="~/.cache/razgovor"),
]


@app.command("list")
def list_command(cache: CacheOption = None) -> None:
    """Show every model of the catalogue and whether it is here."""
    with _failures_explained():
        listings = models.list_models(cache=_cache(cache))
    table = Table("model", "engine", "size", "licence", "state", "from", box=box.SIMPLE)
    for column in table.columns[:-1]:
        column.no_wrap = True
    for listing in listings:
        table.add_row(*_listing_row(listing))
    console = Console(soft_wrap=True)
    console.print(table)
    console.print("~ is about, by the published number of parameters. docs/models.md says which to take for what.")
    console.print(f"Models lie in {listings[0].folder.parent}", highlight=False)


@app.command("get")
def get_command(
    name: Annotated[str, typer.Argument(help="A model of `razgovor models list`.")],
    given: Annotated[
        Path | None, typer.Option("--from", help="A folder that holds its files; then no network is needed.")
    ] = None,
    cache: CacheOption = None,
) -> None:
    """Bring a model into the cache, its hashes checked. Does nothing if it is there and whole."""
    with _failures_explained(), download_bar(name) as progress:
        if given is None:
            model = models.get(name, cache=_cache(cache), progress=progress)
        else:
            model = models.take(name, given, cache=_cache(cache), progress=progress)
    console = Console(soft_wrap=True)
    console.print(f"{model.name}: {_megabytes(model.size_bytes)} in {model.folder}", highlight=False)
    console.print(f"weights sha256 {model.sha256}, {_assurance(pinned=model.pinned)}", highlight=False)


@app.command("verify")
def verify_command(
    name: Annotated[
        str | None, typer.Argument(help="A model, or a folder with one.", show_default="all in the cache")
    ] = None,
    cache: CacheOption = None,
) -> None:
    """Read every file of a model through and compare it with what it should be."""
    folder = _cache(cache)
    with _failures_explained(), download_bar("verify") as progress:
        names = (
            [name]
            if name
            else [listing.name for listing in models.list_models(cache=folder) if listing.state != "absent"]
        )
        verifications = [models.verify(one, cache=folder, progress=progress) for one in names]
    if not verifications:
        Console(stderr=True).print(f"There is no model in {folder}; `razgovor models get base` brings the small one.")
        raise typer.Exit(1)
    Console().print(_verification_table(verifications))
    if not all(verification.good for verification in verifications):
        Console(stderr=True).print("[red]A model is not what it should be: remove its folder and get it again.[/red]")
        raise typer.Exit(1)


def _cache(option: Path | None) -> Path:
    return cache_folder(os.environ if option is None else {CACHE_VARIABLE: str(option)})


@contextmanager
def _failures_explained() -> Iterator[None]:
    try:
        yield
    except Fatal as error:
        Console(stderr=True, soft_wrap=True).print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from error


def _listing_row(listing: Listing) -> tuple[str, ...]:
    about = "~" if listing.approximate else ""
    colour = _STATE_COLOURS[listing.state]
    return (
        listing.name,
        listing.engine,
        about + _megabytes(listing.size_bytes),
        listing.licence,
        f"[{colour}]{listing.state}[/{colour}]",
        ", ".join(kind for kind in listing.sources if kind != "folder"),
    )


def _verification_table(verifications: list[Verification]) -> Table:
    table = Table("model", "file", "size", "sha256", "verdict", box=box.SIMPLE)
    for verification in verifications:
        for check in verification.files:
            colour = "green" if check.verdict.good else "red"
            table.add_row(
                verification.name,
                check.name,
                _megabytes(check.found.size_bytes) if check.found else "",
                check.found.sha256[:16] if check.found else "",
                f"[{colour}]{check.verdict.value}[/{colour}]",
            )
    return table


def _assurance(*, pinned: bool) -> str:
    return "as pinned in the catalogue" if pinned else "recorded now: the catalogue does not know this file"


def _megabytes(size_bytes: int) -> str:
    megabytes = size_bytes / _MEGABYTE
    return f"{megabytes:.3f} MB" if megabytes < 1 else f"{megabytes:.0f} MB"
