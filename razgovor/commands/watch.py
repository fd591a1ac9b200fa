"""`razgovor watch`: folders and SFTP servers whose recordings are fetched. Joined by `razgovor.__main__`."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from pipeline.errors import RazgovorError
from razgovor.commands.clients_access import DatabaseOption, database_of
from razgovor.commands.failures import explained, fail
from razgovor.commands.options import DATA, DataOption, JsonOption
from razgovor.watching.run import run_backfill, run_watchers
from services.ingest.admin import seen_files_at
from services.ingest.watching.date_folders import LayoutError
from services.ingest.watching.ports import ListedFile, SeenFiles, WatcherFacts
from services.ingest.watching.trial import COLUMNS, Tried, patterns_named, tried

app = typer.Typer(help="Folders and SFTP servers whose recordings are fetched.", no_args_is_help=True)

_LISTED_MAX = 100_000
_WATCH_FILE = typer.Option(
    help="What is watched, as TOML: docs/watching.md.", envvar="INGEST_WATCH_FILE", show_default=False
)
WatchFileOption = Annotated[Path | None, _WATCH_FILE]
WatcherOption = Annotated[str | None, typer.Option(help="This watcher only.", show_default=False)]


@app.callback()
def root() -> None:
    """Folders and SFTP servers whose recordings are fetched."""


@app.command("test")
def try_pattern(
    pattern: Annotated[
        str, typer.Argument(help="oktell, asterisk, one of the watch file, or a path with {fields}.", metavar="PATTERN")
    ],
    files: Annotated[list[str], typer.Argument(help="Names or paths; nothing is opened.", metavar="FILE...")],
    *,
    zone: Annotated[str | None, typer.Option(help="Of the PBX's clock: Europe/Moscow.", show_default=False)] = None,
    journal: Annotated[Path | None, typer.Option(help="An export of Oktell's connections.", show_default=False)] = None,
    watch_file: WatchFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a pattern reads out of names. Exits with 1 if it does not read one of them."""
    try:
        found = list(tried(patterns_named(pattern, watch_file), files, zone_name=zone, journal_file=journal))
    except (RazgovorError, ValueError) as error:
        fail(str(error), cause=error)
    if as_json:
        typer.echo(json.dumps([{"file": one.file, "reads": one.reads} for one in found], ensure_ascii=False, indent=2))
    else:
        _present(found)
    if not all(one.reads for one in found):
        raise typer.Exit(1)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a day, as 2026-01-31") from None


@app.command("run")
def run(
    watch_file: Annotated[Path, _WATCH_FILE],
    *,
    watcher: WatcherOption = None,
    backfill: Annotated[
        tuple[date, date] | None,
        typer.Option(
            help="Take what lies in the folders of these days, first and last, at bulk priority; then end.",
            parser=_day,
            metavar="FROM TO",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Watch until Ctrl-C, in a process of its own. Store, database and limits are ingest's settings, INGEST_*.

    Ingest watches by itself where INGEST_WATCH_FILE is set, and so does `razgovor up --watch`.
    """
    with explained():
        if backfill is None:
            run_watchers(watch_file, watcher)
            return
        try:
            facts = run_backfill(watch_file, watcher, *backfill)
        except LayoutError as error:
            fail(str(error), cause=error)
    if any(one.fault for one in facts.values()):
        raise typer.Exit(1)


@app.command("list")
def list_watched(
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Files that were not taken, and why.")] = False,
    watcher: WatcherOption = None,
    limit: Annotated[int, typer.Option(help="So many files at most, newest first.", min=1, max=_LISTED_MAX)] = 1000,
    data: DataOption = DATA,
    database_url: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List watchers: when they looked, what they found; or with --failed what was not taken."""
    with explained(), seen_files_at(database_of(data, database_url)) as seen:
        if failed:
            _show([_file_row(one) for one in seen.refused(watcher, limit)], as_json=as_json)
        else:
            _show([_watcher_row(one) for one in seen.watchers() if watcher in {None, one.watcher}], as_json=as_json)


@app.command("retry")
def retry(
    watcher: Annotated[str, typer.Argument(help="The watcher.", metavar="WATCHER", show_default=False)],
    *,
    reason: Annotated[
        str | None, typer.Option(help="Files that were refused for this reason.", show_default=False)
    ] = None,
    data: DataOption = DATA,
    database_url: DatabaseOption = None,
) -> None:
    """Have files that were not taken be looked at again, though they have not changed."""
    with explained(), seen_files_at(database_of(data, database_url)) as seen:
        typer.echo(_retried(seen, watcher, reason))


def _retried(seen: SeenFiles, watcher: str, reason: str | None) -> str:
    if watcher not in {one.watcher for one in seen.watchers()}:
        fail(f"there is no watcher {watcher} that ever looked")
    return f"{seen.forget_refused(watcher, reason)} files will be looked at again"


def _file_row(one: ListedFile) -> dict[str, Any]:
    return {
        "watcher": one.watcher,
        "client": one.client_id,
        "file": one.path,
        "bytes": one.size_bytes,
        "reason": one.reason,
        "detail": one.detail,
        "seen_at": one.seen_at.isoformat(timespec="seconds"),
        "retry_at": None if one.retry_at is None else one.retry_at.isoformat(timespec="seconds"),
    }


def _watcher_row(one: WatcherFacts) -> dict[str, Any]:
    return {
        "watcher": one.watcher,
        "client": one.client_id,
        "looked_at": one.looked_at.isoformat(timespec="seconds"),
        "found": one.look.found,
        "waiting": one.look.waiting,
        "taken": one.taken,
        "not_taken": one.refused,
        "fault": one.look.fault,
    }


def _show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if not rows:
        typer.echo("none")
        return
    table = Table(*(Column(name, overflow="fold") for name in rows[0]), box=box.SIMPLE)
    for row in rows:
        table.add_row(*(_plain("" if cell is None else str(cell)) for cell in row.values()))
    Console().print(table)


def _present(found: list[Tried]) -> None:
    said = [name for name in COLUMNS if any(name in (one.reads or {}) for one in found)]
    table = Table(*(Column(name, overflow="fold") for name in ("file", *said, "")), box=box.SIMPLE)
    for one in found:
        note = "[green]read[/green]" if one.reads else "[red]not of this pattern[/red]"
        table.add_row(_plain(one.file), *(_plain((one.reads or {}).get(name, "")) for name in said), note)
    console = Console()
    console.print(table)
    read = sum(one.reads is not None for one in found)
    console.print(f"{read} of {len(found)} read", highlight=False)


def _plain(text: str) -> str:
    """A stranger's text as a cell: no markup, nothing that moves the cursor."""
    return escape("".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text))
