"""`razgovor ingest|transcriber|exporter|ledger`: one service, its settings from the environment."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

import typer

_WORDS: Final = {
    "ingest": "Take recordings by REST and announce them.",
    "transcriber": "Turn recordings into transcripts.",
    "exporter": "Turn transcripts into TXT, WebVTT and Excel.",
    "ledger": "Keep the record of jobs, artefacts and usage.",
}


def register(app: typer.Typer) -> None:
    """One command a service."""
    for name, words in _WORDS.items():
        app.command(name, help=words, rich_help_panel="Services")(_runner(name))


def _runner(name: str) -> Callable[[], None]:
    def run() -> None:
        # Imported when run: a machine may have the packages of one service only.
        main: Callable[[], int] = import_module(f"services.{name}.__main__").main
        raise typer.Exit(main())

    return run
