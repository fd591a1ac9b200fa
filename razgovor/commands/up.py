"""`razgovor up`: the one-machine stack, lasting. What it holds lies in a folder; a restart goes on where it stopped."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from razgovor.cache import cache_folder
from razgovor.commands.transcribe import LocaleOption, ModelOption, get_model
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.stack.specs import StackOptions
from razgovor.stack.stack import Stack
from razgovor.texts import Locale, text
from razgovor.transcription.run import model_option

_LOOK_EVERY_S: Final = 0.5
_COLOURS: Final = {"ready": "green", "restarting": "red", "failed": "red"}


def up(
    *,
    data: Annotated[Path, typer.Option(help="Where recordings, results and the database lie.")] = Path("razgovor-data"),
    port: Annotated[
        int, typer.Option(help="Of the REST interface on loopback; 0: any free one.", min=0, max=65535)
    ] = 0,
    model: ModelOption = "base",
    lang: LocaleOption = "en",
) -> None:
    """Run broker, database and the four services on this machine until Ctrl-C."""
    console = Console(highlight=False)
    weights = get_model(model)
    cache = cache_folder(os.environ)
    stack = Stack(data, model=model_option(weights), model_cache=cache, options=StackOptions(port=port))
    try:
        with console.status(text("starting", lang)):
            stack.start()
    except EmbeddedFailed as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    try:
        console.print(text("trial", lang), style="yellow")
        stay_up(stack, console, lang)
    finally:
        stack.stop()


def stay_up(stack: Stack, console: Console, locale: Locale) -> None:
    """Show the address and each process's state until Ctrl-C or SIGTERM; a line for each change where nobody watches."""
    stop = threading.Event()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, lambda _signal, _frame: stop.set())
    told = text("stays", locale, url=stack.ingest_url, data=str(stack.folder.root))
    console.print(told, markup=False, soft_wrap=True)
    if console.is_terminal:
        _show_live(stack, console, stop)
    else:
        _show_lines(stack, console, stop)


def _show_live(stack: Stack, console: Console, stop: threading.Event) -> None:
    with Live(_table(stack), console=console) as live:
        while not stop.wait(_LOOK_EVERY_S):
            live.update(_table(stack))


def _show_lines(stack: Stack, console: Console, stop: threading.Event) -> None:
    shown: dict[str, tuple[str, int | None]] = {}
    while True:
        for one in stack.service_states():
            if shown.get(one.name) != (one.state, one.pid):
                shown[one.name] = (one.state, one.pid)
                console.print(f"{one.name}: {one.state}, pid {one.pid}, restarts {one.restarts}")
        if stop.wait(_LOOK_EVERY_S):
            return


def _table(stack: Stack) -> Table:
    shown = Table("service", "state", "pid", "restarts", box=None, pad_edge=False)
    for one in stack.service_states():
        colour = _COLOURS.get(one.state, "yellow")
        shown.add_row(one.name, f"[{colour}]{one.state}[/]", str(one.pid), str(one.restarts))
    return shown
