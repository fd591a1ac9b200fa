"""A run's result: a row for each fault, shown as a table and written as JSON. Any problem in it fails the run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fault's result.

    Attributes:
        fault: Its number in the matrix.
        name: What was broken.
        kills: Processes that died by kill -9, their own or the rig's.
        jobs: Calls that ingest promised while it was played.
        lost: Of them, those without an end.
        billed_twice: Of them, those billed otherwise than once when completed and never else.
        orphans: Prefixes in the store that came then and belong to no job.
        recovery_s: The longest that the flow took to be back.
        limit_s: How long it may take.
        problems: Whatever else should not have been.
        skipped: Why it was not played; None: it was.
        seconds: How long it was played.
    """

    fault: int
    name: str
    kills: int = 0
    jobs: int = 0
    lost: int = 0
    billed_twice: int = 0
    orphans: int = 0
    recovery_s: float = 0.0
    limit_s: float
    problems: tuple[str, ...] = ()
    skipped: str | None = None
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether nothing is held against it. What was not played proves nothing, and fails nothing."""
        harm = self.lost or self.billed_twice or self.orphans or self.problems
        return not harm and self.recovery_s <= self.limit_s

    def with_orphans(self, orphans: int) -> Row:
        """The same, with what was found of orphans at the end of the run."""
        return replace(self, orphans=orphans)

    def as_json(self) -> dict[str, Any]:
        """For bench/out/chaos.json."""
        return {
            "fault": self.fault,
            "name": self.name,
            "kills": self.kills,
            "jobs": self.jobs,
            "lost": self.lost,
            "billed_twice": self.billed_twice,
            "orphans": self.orphans,
            "recovery_s": round(self.recovery_s, 1),
            "limit_s": self.limit_s,
            "seconds": round(self.seconds, 1),
            "problems": list(self.problems),
            "skipped": self.skipped,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A run.

    Attributes:
        seed: The run can be played again with it.
        rows: By fault.
        audit: What is held against the whole: by the audit, and of metrics that were never seen.
        seconds: From the first process to the last.
    """

    seed: int
    rows: tuple[Row, ...]
    audit: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether nothing is held against the run."""
        return not self.audit and all(row.is_good for row in self.rows)

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "seed": self.seed,
            "good": self.is_good,
            "seconds": round(self.seconds, 1),
            "jobs": sum(row.jobs for row in self.rows),
            "kills": sum(row.kills for row in self.rows),
            "faults": [row.as_json() for row in self.rows],
            "audit": list(self.audit),
        }
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def as_table(rows: Sequence[Row]) -> Table:
    """The rows, and their sum."""
    table = Table(box=None, pad_edge=False)
    table.add_column("fault", overflow="fold")
    for heading in ("kills", "jobs", "lost", "billed twice", "orphans", "recovery s", ""):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(f"{row.fault} {row.name}", *_cells(row), style=None if row.is_good else "red")
    counted = ("kills", "jobs", "lost", "billed_twice", "orphans")
    sums = [str(sum(getattr(row, name) for row in rows)) for name in counted]
    table.add_row("all", *sums, f"{max((row.recovery_s for row in rows), default=0.0):.1f}", "", style="bold")
    return table


def _cells(row: Row) -> tuple[str, ...]:
    if row.skipped is not None:
        return ("", "", "", "", "", "", "not played")
    counts = (row.kills, row.jobs, row.lost, row.billed_twice, row.orphans)
    verdict = "ok" if row.is_good else "BAD"
    return (*map(str, counts), f"{row.recovery_s:.1f}", verdict)


def told(rows: Sequence[Row]) -> list[str]:
    """What is to be said below the table: problems, and what was not played."""
    found = [f"{row.fault} {row.name}: {problem}" for row in rows for problem in row.problems]
    found += [
        f"{row.fault} {row.name}: back after {row.recovery_s:.1f} s, allowed are {row.limit_s:.0f} s"
        for row in rows
        if row.recovery_s > row.limit_s
    ]
    return found + [f"{row.fault} {row.name}: not played: {row.skipped}" for row in rows if row.skipped is not None]
