"""`razgovor store sweep`: delete what lies in the store and belongs to no job. Joined by `razgovor.commands.store`."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import service
from razgovor.commands.failures import explained, fail
from services.ledger.admin import sweep
from services.ledger.settings import JanitorSettings


def sweep_command(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Delete nothing, only tell.")] = False,
    older_than_s: Annotated[
        float | None, typer.Option(help="Only what is older; else LEDGER_ORPHAN_AFTER_S.", min=0)
    ] = None,
) -> None:
    """Delete orphans now, as the ledger's janitor does by itself: LEDGER_STORE_* and LEDGER_DATABASE_URL say where."""
    settings = service.load(JanitorSettings)
    with explained():
        swept = sweep(settings, older_than_s=older_than_s, dry_run=dry_run)
    if swept is None:
        fail("another one sweeps now")
    for job_id in swept.orphans:
        typer.echo(job_id)
    done = (
        "would be deleted" if dry_run else f"deleted ({swept.objects} objects), {swept.uploads} left uploads given up"
    )
    typer.echo(f"{swept.jobs} old enough, {len(swept.orphans)} orphans {done}", err=True)
