"""`razgovor board`: what goes through the topics now, live. Joined by `razgovor.__main__`."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from services.ledger.board.counting import Picture


def board(*, as_json: Annotated[bool, typer.Option("--json", help="A line of JSON now and then.")] = False) -> None:
    """Show jobs by client and state, and the audio that waits, as the topics tell; the addresses are BOARD_*."""
    # Imported when run: a machine may have the packages of other services only.
    room = import_module("services.ledger.board.__main__")
    if as_json or not Console().is_terminal:
        raise typer.Exit(room.main())
    with Live(console=Console()) as live:
        status = room.main(lambda picture: live.update(_table(picture)))
    raise typer.Exit(status)


def _table(picture: Picture) -> Table:
    table = Table("client", "state", "jobs", "lately", "audio that waits", box=box.SIMPLE)
    for line in picture.lines:
        waits = f"{line.waiting_audio_s:.0f} s" if line.waiting_audio_s else ""
        table.add_row(escape(line.client_id), line.state, str(line.jobs), str(line.lately), waits)
    waiting = f"{picture.backlog_audio_s:.0f} s"
    table.add_row("all", "not ended", str(picture.backlog_jobs), "", waiting, style="bold")
    return table
