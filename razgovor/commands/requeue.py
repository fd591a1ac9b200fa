"""`razgovor requeue`: have jobs done again, each as a new run. Joined by `razgovor.__main__`."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from pipeline.contracts import reasons
from razgovor.commands.failures import explained
from razgovor.commands.options import DATA, DataOption, DryRunOption, JsonOption, LimitOption
from razgovor.commands.since import SinceOption
from razgovor.dlq.access import Access
from razgovor.operator import operator
from services.ingest.admin import requeue
from services.ingest.runs import Refused, Started


def requeue_command(
    *,
    job: Annotated[list[str] | None, typer.Option(help="This job; may be said several times.")] = None,
    failed_with: Annotated[
        str | None, typer.Option(help="All whose newest run failed for this reason; `any` for all reasons.")
    ] = None,
    since: SinceOption = None,
    limit: LimitOption = 1000,
    reprocess: Annotated[
        bool, typer.Option("--reprocess", help="With --job: also when it completed; it may be billed again.")
    ] = False,
    dry_run: DryRunOption = False,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Have jobs done again: a new run of each, from the recording on."""
    if bool(job) == (failed_with is not None):
        raise typer.BadParameter("say either --job or --failed-with")
    if failed_with not in {None, "any", *reasons.catalogue()}:
        raise typer.BadParameter("no such reason; docs/events.md has them all", param_hint="--failed-with")
    if reprocess and not job:
        raise typer.BadParameter("goes with --job", param_hint="--reprocess")
    answers: list[Started | Refused] = []
    with explained(), ExitStack() as opened:
        # Also after an error: what was started before a peer went away is started.
        opened.callback(_present, answers, dry_run=dry_run, as_json=as_json)
        runs = opened.enter_context(Access(os.environ, data).runs())
        reason = None if failed_with == "any" else failed_with
        wanted = job or [one.job_id for one in runs.find_failed(reason=reason, since=since, limit=limit)]
        answers.extend(requeue(runs, wanted, reprocess=reprocess, dry_run=dry_run, by=operator()))


def _present(answers: list[Started | Refused], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "job_id": answer.job_id,
                "run": answer.run if isinstance(answer, Started) else None,
                "refused": answer.why if isinstance(answer, Refused) else None,
            }
            for answer in answers
        ]
        typer.echo(json.dumps({"dry_run": dry_run, "jobs": rows}, ensure_ascii=False, indent=2))
        return
    table = Table("job", "", box=box.SIMPLE)
    for answer in answers:
        said = f"[green]run {answer.run}[/green]" if isinstance(answer, Started) else f"[yellow]{answer.why}[/yellow]"
        table.add_row(answer.job_id, said)
    started = sum(isinstance(answer, Started) for answer in answers)
    Console().print(table)
    Console().print(f"{started} of {len(answers)} {'would be ' if dry_run else ''}started", highlight=False)
