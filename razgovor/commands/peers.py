"""`razgovor peers start|stop|status`: real servers on loopback for tests and trials, without Docker."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from razgovor.commands.failures import explained
from razgovor.peers import peer_set
from razgovor.peers.addresses import peers_in
from razgovor.peers.artefacts import Progress
from razgovor.peers.catalogue import PEERS
from razgovor.peers.installing import install_missing

app = typer.Typer(help="Real servers on loopback: Kafka, registry, PostgreSQL, S3, SFTP.", no_args_is_help=True)
FolderOption = Annotated[Path, typer.Option(help="Where they keep everything.", envvar="RAZGOVOR_PEERS")]
FOLDER: Final = Path(".peers")
#: On no terminal a line is printed at most so often, unless something new begins.
LINE_EVERY_S: Final = 15.0


@app.callback()
def root() -> None:
    """Real servers on loopback: Kafka, registry, PostgreSQL, S3, SFTP."""


@app.command("start")
def start(
    *,
    folder: FolderOption = FOLDER,
    only: Annotated[str, typer.Option(help="Names, comma separated.")] = ",".join(PEERS),
    keep: Annotated[bool, typer.Option("--keep", help="Go on with the data of an earlier start.")] = False,
    install: Annotated[bool, typer.Option("--install", help="As root: install what Debian's packages give.")] = False,
) -> None:
    """Start them, or find them running; they outlive this shell. What they are made of is got once, into the cache."""
    names = _names(only)
    console = Console(highlight=False, stderr=True)
    with explained(), console.status("peers") as spinner:
        told = spinner.update if console.is_terminal else _lines(console)
        if install:
            install_missing(names, told)
        addresses = peer_set.start(folder, names, told, keep_data=keep)
    typer.echo(_shown(asdict(addresses)))


@app.command("get")
def get(*, only: Annotated[str, typer.Option(help="Names, comma separated.")] = ",".join(PEERS)) -> None:
    """Fetch and build what they are made of, into the cache; start nothing."""
    with explained():
        peer_set.get_all(_names(only), _lines(Console(highlight=False, stderr=True)))


@app.command("stop")
def stop(*, folder: FolderOption = FOLDER) -> None:
    """End them."""
    with explained():
        typer.echo("stopped" if peer_set.stop(folder) else "none were running")


@app.command("status")
def status(*, folder: FolderOption = FOLDER) -> None:
    """Say where they are; exit status 1 when they do not run."""
    with explained():
        typer.echo(_shown(asdict(peers_in(folder))))


def _names(only: str) -> list[str]:
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in names if name not in PEERS]
    if unknown or not names:
        raise typer.BadParameter(f"{', '.join(unknown) or 'nothing'} is not of {', '.join(PEERS)}")
    return names


def _lines(console: Console) -> Progress:
    """A line for what is new; of one that goes on for long, one now and then."""
    last: tuple[str, float] = ("", 0.0)

    def tell(line: str) -> None:
        nonlocal last
        topic = line.partition(",")[0]
        if topic != last[0] or time.monotonic() - last[1] > LINE_EVERY_S:
            last = (topic, time.monotonic())
            console.print(line, markup=False, soft_wrap=True)

    return tell


def _shown(addresses: dict[str, object]) -> str:
    """As JSON, secrets as stars: `peers.json` has them."""
    return json.dumps(_without_secrets(addresses), indent=1)


def _without_secrets(value: object, name: str = "") -> object:
    if isinstance(value, dict):
        return {key: _without_secrets(inner, str(key)) for key, inner in value.items() if inner is not None}
    return "***" if name == "secret_key" or (name.endswith("_url") and name != "url") else value
