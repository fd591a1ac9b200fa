"""`razgovor ingest|transcriber|exporter|ledger`: one service, its settings from the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

import typer

from razgovor.commands.tune import tune

_WORDS: Final = {
    "ingest": "Take recordings by REST and announce them.",
    "transcriber": "Turn recordings into transcripts.",
    "exporter": "Turn transcripts into TXT, WebVTT and Excel.",
    "ledger": "Keep the record of jobs, artefacts and usage.",
}
_MORE: Final[Mapping[str, Mapping[str, Callable[..., None]]]] = {"transcriber": {"tune": tune}}


def register(app: typer.Typer) -> None:
    """One command a service."""
    for name, words in _WORDS.items():
        if name in _MORE:
            app.add_typer(_group(name, words), name=name, help=words, rich_help_panel="Services")
        else:
            app.command(name, help=words, rich_help_panel="Services")(_runner(name))


def _group(name: str, words: str) -> typer.Typer:
    """A service that has commands of its own: without one of them it runs."""
    group, run = typer.Typer(), _runner(name)

    @group.callback(invoke_without_command=True, help=words)
    def root(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            run()

    for command, function in _MORE[name].items():
        group.command(command)(function)
    return group


def _runner(name: str) -> Callable[[], None]:
    def run() -> None:
        # Imported when run: a machine may have the packages of one service only.
        main: Callable[[], int] = import_module(f"services.{name}.__main__").main
        raise typer.Exit(main())

    return run
