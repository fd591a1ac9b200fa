"""`razgovor audit-log`: who did what, and when; and whether the log is whole. Joined by `razgovor.__main__`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from razgovor.commands.clients_access import DatabaseOption, audit_log_of
from razgovor.commands.failures import fail
from razgovor.commands.options import DATA, DataOption, JsonOption
from razgovor.commands.since import SinceOption
from services.ingest.audit_log import ACTS, AuditLog, Entry, Wanted

_LIMIT_MAX = 100_000


def audit_log_command(
    *,
    client: Annotated[str | None, typer.Option(help="What was done to this client's only.", show_default=False)] = None,
    act: Annotated[str | None, typer.Option(help=f"Only this: {', '.join(ACTS)}.", show_default=False)] = None,
    since: SinceOption = None,
    limit: Annotated[int, typer.Option(help="So many at most, the newest first.", min=1, max=_LIMIT_MAX)] = 100,
    verify: Annotated[
        bool, typer.Option("--verify", help="Say whether every entry is as it was written, and what the last one is.")
    ] = False,
    data: DataOption = DATA,
    database_url: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who made keys, changed clients, erased, requeued, replayed and dropped. Nobody can change it."""
    if act not in {None, *ACTS}:
        raise typer.BadParameter(f"one of {', '.join(ACTS)}", param_hint="--act")
    with audit_log_of(data, database_url) as log:
        if verify:
            _verify(log)
            return
        found = log.entries(Wanted(client_id=client, act=act, since=since), limit)
    if as_json:
        typer.echo(json.dumps([_row(entry) for entry in found], ensure_ascii=False, indent=2))
        return
    table = Table("", "when", "who", "what", "client", "of", "", box=box.SIMPLE)
    for entry in found:
        row = _row(entry)
        details = ", ".join(f"{name}: {_told(value)}" for name, value in entry.act.details.items())
        table.add_row(*(str(row[name] or "") for name in ("entry", "at", "who", "act", "client", "subject")), details)
    Console().print(table)


def _verify(log: AuditLog) -> None:
    broken = log.first_broken()
    if broken is not None:
        fail(f"entry {broken} is not as it was written, or one before it is gone")
    newest = log.entries(Wanted(), 1)
    typer.echo(f"whole: {newest[0].entry_id} entries, the last one {newest[0].sha256}" if newest else "whole: empty")


def _told(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _row(entry: Entry) -> dict[str, Any]:
    said = asdict(entry.act)
    return {
        "entry": entry.entry_id,
        "at": entry.at.isoformat(timespec="seconds"),
        "who": said["who"],
        "act": said["act"],
        "client": said["client_id"],
        "subject": said["subject"],
        "details": said["details"],
        "sha256": entry.sha256,
    }
