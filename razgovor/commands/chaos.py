"""`razgovor chaos`: break a whole system on purpose, on real Kafka, PostgreSQL and S3, and judge what is left."""

from __future__ import annotations

import logging
import secrets
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer
from rich.console import Console

from pipeline.errors import RazgovorError
from razgovor.chaos.auditing import audited
from razgovor.chaos.fault import Fault
from razgovor.chaos.ground import Ground
from razgovor.chaos.orphans import SWEPT_WITHIN_S
from razgovor.chaos.rig import Rig
from razgovor.chaos.scraping import Scraping, never_shown
from razgovor.chaos.scraping import as_table as metrics_table
from razgovor.chaos.script import script
from razgovor.chaos.stage import LONG, SHORT, Pace
from razgovor.chaos.system import System
from razgovor.chaos.table import Result, as_table, told

OUT: Final = Path("bench/out")
#: Of so many together some make backlogs: then every metric that scaling needs must have been seen.
MANY_FAULTS: Final = 10
_LOG_PATTERNS: Final = ("workers/*.log", "kafka/*.log", "postgres/*.log", "minio/*.log")


def chaos(
    *,
    faults: Annotated[str, typer.Option(help="Only these, by number, comma separated.")] = "",
    seed: Annotated[int | None, typer.Option(help="Play a run again; else one is drawn.")] = None,
    jobs: Annotated[int | None, typer.Option(help="Calls of a fault that needs no certain number.", min=1)] = None,
    long: Annotated[
        bool, typer.Option("--long", help="At least 10,000 calls and 200 kills: for a quiet machine.")
    ] = False,
    patience: Annotated[
        float, typer.Option(help="Allow so many times as long for every return: on a machine that others use.", min=1)
    ] = 1.0,
    out: Annotated[Path, typer.Option(help="Where chaos.json goes, and the logs of a run that failed.")] = OUT,
) -> None:
    """Break things on purpose and prove that nothing is lost, billed twice or left behind."""
    # For every lost connection it says at once what this command breaks on purpose.
    logging.getLogger("librdkafka").setLevel(logging.CRITICAL)
    console = Console(highlight=False)
    drawn = secrets.randbelow(1_000_000) if seed is None else seed
    pace = LONG if long else SHORT
    if jobs is not None:
        pace = pace.of(jobs)
    try:
        plays = script(drawn, _numbers(faults), long=long)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    console.print(f"seed {drawn}: razgovor chaos --seed {drawn}{' --long' if long else ''}")
    with TemporaryDirectory(prefix="razgovor-chaos-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # as root: PostgreSQL's account passes through
        try:
            result = _run(folder, plays, drawn, pace, patience=patience, out=out, console=console)
        except BaseException:
            keep_logs(folder, out / "chaos")
            raise
        if not result.is_good:
            keep_logs(folder, out / "chaos")
    result.write(out / "chaos.json")
    console.print(as_table(result.rows))
    for line in (*told(result.rows), *result.audit):
        console.print(line, markup=False, style=None)
    if not result.is_good:
        console.print(f"logs: {out / 'chaos'}")
        raise typer.Exit(1)


def _numbers(text: str) -> list[int] | None:
    return [int(part) for part in text.split(",")] if text else None


def _run(
    folder: Path, plays: list[Fault], seed: int, pace: Pace, *, patience: float, out: Path, console: Console
) -> Result:
    begun_s = time.monotonic()

    def tell(what: str) -> None:
        console.print(f"{time.monotonic() - begun_s:6.1f} s  {what}", markup=False, soft_wrap=True)

    ground = Ground(folder, seed=seed)
    try:
        ground.start(tell)
        tell("starting the services")
        with System(folder, ground, seed=seed) as system:
            with Scraping(system.crew) as scraping:
                rows = Rig(system, seed=seed, pace=pace, patience=patience, tell=tell).run(plays)
            scraping.write(out / "chaos-metrics.json")
            console.print(metrics_table(scraping.moments))
            tell("auditing")
            found = audited(ground, orphan_age_s=SWEPT_WITHIN_S)
            if len(plays) >= MANY_FAULTS:
                found += never_shown(scraping.moments)
    except RazgovorError as error:
        typer.echo(str(error), err=True)
        raise
    finally:
        ground.stop()
    return Result(seed=seed, rows=tuple(rows), audit=found, seconds=time.monotonic() - begun_s)


def keep_logs(folder: Path, to: Path) -> None:
    """Copy what the processes said to where it stays."""
    shutil.rmtree(to, ignore_errors=True)
    for pattern in _LOG_PATTERNS:
        for log in folder.glob(pattern):
            (to / log.parent.name).mkdir(parents=True, exist_ok=True)
            shutil.copy(log, to / log.parent.name / log.name)
