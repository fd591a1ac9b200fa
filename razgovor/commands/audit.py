"""`razgovor audit`: whether anything was lost, doubled, billed twice or mixed up. Joined by `razgovor.__main__`."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from pipeline.service import EXIT_FATAL
from razgovor.audit import dumps, showing
from razgovor.audit.access import Access
from razgovor.audit.run import Question, Report, audit
from razgovor.audit.sources import Topics
from razgovor.commands.durations import duration
from razgovor.commands.failures import explained, fail
from razgovor.commands.options import DATA, DataOption, JsonOption


def _duration(text: str) -> timedelta:
    named = duration(text)
    if named is None:
        raise typer.BadParameter("90s, 15m, 24h or 30d")
    return named


def audit_command(
    *,
    data: DataOption = DATA,
    drained: Annotated[
        bool, typer.Option("--drained", help="All work is over: what is unfinished is a violation.")
    ] = False,
    dumped: Annotated[
        Path | None, typer.Option("--topics", help="Read the topics from a folder that --dump has written.")
    ] = None,
    dump: Annotated[
        Path | None, typer.Option("--dump", help="Only write the topics into this folder: ids and places, no content.")
    ] = None,
    hash_share: Annotated[
        float, typer.Option(help="How many objects are read to compare hashes: 0 none, 1 all.", min=0.0, max=1.0)
    ] = 1.0,
    orphan_age: Annotated[
        str,
        typer.Option(metavar="AGE", help="A prefix of the store that is older must be a job's: 90s, 15m, 24h, 30d."),
    ] = "24h",
    retention: Annotated[
        str | None, typer.Option(metavar="AGE", help="Objects of calls that are older are gone by rule.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at database, store and topics, and say whether the invariants hold. Changes nothing.

    Exits with 0 if nothing is broken, with 1 if something is, with 70 if it could not look.
    """
    access = Access(os.environ, data)
    question = Question(
        drained=drained,
        orphan_age=_duration(orphan_age),
        retention=None if retention is None else _duration(retention),
        hash_share=hash_share,
        salt=secrets.token_hex(8),
    )
    with explained(EXIT_FATAL), ExitStack() as opened:
        topics = dumps.DumpedTopics(dumped) if dumped is not None else opened.enter_context(access.topics())
        if dump is not None:
            _dump(topics, dump)
            return
        with _ShownProgress() as progress:
            report = audit(access.database(), access.objects(), topics, question, progress)
    _show(report, as_json=as_json)
    if not report.ok:
        raise typer.Exit(1)


def _dump(topics: Topics | None, folder: Path) -> None:
    if topics is None:
        fail("nobody said where the topics are: AUDITOR_BOOTSTRAP_SERVERS", EXIT_FATAL)
    with _ShownProgress() as progress:
        progress.begin("topics", topics.count())
        count = dumps.write(topics, folder, progress.advance)
    typer.echo(f"{count} records in {folder}")


def _show(report: Report, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(showing.as_json(report), indent=1))
        return
    console = Console(highlight=False)
    for table in (showing.verdicts(report), showing.violations(report), showing.unfinished(report)):
        if table is not None:
            console.print(table)


class _ShownProgress:
    """See `run.Progress`: a bar on standard error, on a terminal only."""

    def __init__(self) -> None:
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID | None = None

    def begin(self, what: str, total: int) -> None:
        """See `run.Progress.begin`."""
        self._task = self._bar.add_task(what, total=total)

    def advance(self) -> None:
        """See `run.Progress.advance`."""
        if self._task is not None:
            self._bar.advance(self._task)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()
