"""`razgovor up`: the one-machine stack, lasting. What it holds lies in a folder; a restart goes on where it stopped."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from razgovor.cache import cache_folder
from razgovor.commands.failures import explained
from razgovor.commands.options import DATA
from razgovor.commands.page import link_into, told_page
from razgovor.commands.transcribe import LocaleOption, ModelOption, get_model
from razgovor.stack.elsewhere import PeersWanted, ready_options
from razgovor.stack.specs import Broker, StackOptions
from razgovor.stack.stack import Stack
from razgovor.texts import Locale, text
from razgovor.transcription.run import model_option
from services.ingest.watching.configuration import configuration

_LOOK_EVERY_S: Final = 0.5
_COLOURS: Final = {"ready": "green", "restarting": "red", "failed": "red", "fused": "red"}


def up(
    *,
    data: Annotated[Path, typer.Option(help="Where recordings, results and the database lie.")] = DATA,
    port: Annotated[
        int,
        typer.Option(
            help="Of the REST interface on loopback; 0: any free one.", min=0, max=65535, envvar="RAZGOVOR_PORT"
        ),
    ] = 0,
    broker: Annotated[
        Broker, typer.Option(help="mock, or kafka: one of its own (needs Java), whose log lasts.")
    ] = "mock",
    bootstrap_servers: Annotated[
        str | None,
        typer.Option(
            help="A Kafka elsewhere: host:port, comma separated. Credentials: RAZGOVOR_KAFKA_*.",
            envvar="RAZGOVOR_BOOTSTRAP_SERVERS",
        ),
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(
            help="A PostgreSQL elsewhere, as superuser; roles and schemas are made.", envvar="RAZGOVOR_DATABASE_URL"
        ),
    ] = None,
    store_url: Annotated[
        str | None,
        typer.Option(
            help="A store elsewhere: s3://bucket?endpoint=... Credentials: RAZGOVOR_STORE_*.",
            envvar="RAZGOVOR_STORE_URL",
        ),
    ] = None,
    watch: Annotated[
        Path | None,
        typer.Option(
            help="What is watched for recordings, as TOML: docs/watching.md.",
            envvar="INGEST_WATCH_FILE",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = "base",
    metrics: Annotated[bool, typer.Option("--metrics", help="Also show where each service's metrics are.")] = False,
    lang: LocaleOption = "en",
) -> None:
    """Run broker, database and the four services on this machine until Ctrl-C."""
    console = Console(highlight=False)
    weights = get_model(model)
    cache = cache_folder(os.environ)
    wanted = PeersWanted(
        broker=broker, bootstrap_servers=bootstrap_servers, database_url=database_url, store_url=store_url
    )
    with explained(), console.status(text("starting", lang)) as spinner:
        options = watching(ready_options(wanted, port, data, spinner.update), watch)
        stack = Stack(data, model=model_option(weights), model_cache=cache, options=options)
        stack.start()
    try:
        if not wanted.lasting:
            console.print(text("trial", lang), style="yellow")
        # In a log nobody's link should stand, however short its life.
        told_page(stack.ingest_url, link_into(stack) if console.is_terminal else None, console, lang)
        stay_up(stack, console, lang, metrics=metrics)
    finally:
        stack.stop()


def watching(options: StackOptions, watch_file: Path | None) -> StackOptions:
    """The options of a stack that also watches; a file that cannot be used is told before anything starts.

    Raises:
        ConfigurationFault: It cannot be.
    """
    if watch_file is None:
        return options
    configuration(watch_file)
    return replace(options, environment={**options.environment, "INGEST_WATCH_FILE": str(watch_file.absolute())})


def stay_up(
    stack: Stack, console: Console, locale: Locale, *, metrics: bool = False, for_s: float | None = None
) -> None:
    """Show the address and each process's state until Ctrl-C or SIGTERM; a line for each change where nobody watches.

    Args:
        stack: What runs.
        console: Where it is shown.
        locale: Of what is said.
        metrics: Also show where each service's metrics are.
        for_s: No longer than this; None: for ever.
    """
    stop = threading.Event()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, lambda _signal, _frame: stop.set())
    if for_s is not None:
        console.print(text("stays_for", locale, minutes=round(for_s / 60)), markup=False, soft_wrap=True)
        ends = threading.Timer(for_s, stop.set)
        ends.daemon = True
        ends.start()
    told = text("stays", locale, url=stack.ingest_url, data=str(stack.folder.root))
    console.print(told, markup=False, soft_wrap=True)
    if console.is_terminal:
        _show_live(stack, console, stop, metrics=metrics)
    else:
        _show_lines(stack, console, stop, metrics=metrics)


def _show_live(stack: Stack, console: Console, stop: threading.Event, *, metrics: bool) -> None:
    with Live(_table(stack, metrics=metrics), console=console) as live:
        while not stop.wait(_LOOK_EVERY_S):
            live.update(_table(stack, metrics=metrics))


def _show_lines(stack: Stack, console: Console, stop: threading.Event, *, metrics: bool) -> None:
    shown: dict[str, tuple[str, int | None]] = {}
    while True:
        for one in stack.service_states():
            if shown.get(one.name) != (one.state, one.pid):
                shown[one.name] = (one.state, one.pid)
                where = f", metrics {one.metrics}" if metrics and one.metrics else ""
                console.print(f"{one.name}: {one.state}, pid {one.pid}, restarts {one.restarts}{where}", soft_wrap=True)
        if stop.wait(_LOOK_EVERY_S):
            return


def _table(stack: Stack, *, metrics: bool) -> Table:
    shown = Table("service", "state", "pid", "restarts", *(("metrics",) if metrics else ()), box=None, pad_edge=False)
    for one in stack.service_states():
        colour = _COLOURS.get(one.state, "yellow")
        where = (one.metrics or "",) if metrics else ()
        shown.add_row(one.name, f"[{colour}]{one.state}[/]", str(one.pid), str(one.restarts), *where)
    return shown
