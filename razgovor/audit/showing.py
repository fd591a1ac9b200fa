"""A report for people and for programs. Pure; called by `razgovor.commands.audit`."""

from __future__ import annotations

from typing import Any, Final

from rich import box
from rich.markup import escape
from rich.table import Table

from razgovor.audit.findings import Finding, Invariant, Tally
from razgovor.audit.run import UNFINISHED_MAX, Report

_WORDS: Final = {True: "holds", False: "broken", None: "not checked"}
_COLOURS: Final = {True: "green", False: "red", None: "yellow"}


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "ok": report.ok,
        "taken_at": report.taken_at.isoformat(),
        "drained": report.drained,
        "jobs": report.jobs,
        "unfinished": {
            "count": report.unfinished_count,
            "oldest": [
                {"job_id": one.job_id, "run": one.run, "state": one.state, "age_s": round(one.age_s, 1)}
                for one in report.unfinished[:UNFINISHED_MAX]
            ],
        },
        "invariants": [_plain(invariant, tally) for invariant, tally in report.findings.tallies.items()],
        "topics": [
            {
                "topic": flow.topic,
                "records": flow.records,
                "undecodable": flow.records - flow.decoded,
                "events": flow.events,
            }
            for flow in report.flows
        ],
    }


def _plain(invariant: Invariant, tally: Tally) -> dict[str, Any]:
    return {
        "invariant": invariant.value,
        "says": invariant.says,
        "verdict": _WORDS[tally.holds],
        "why_not": tally.why_not or None,
        "checked": tally.checked,
        "violations": dict(tally.violations),
        "notes": dict(tally.notes),
        "examples": [
            {"code": one.code, "job_id": one.job_id, "where": one.where, "violation": one.violation}
            for one in tally.examples
        ],
    }


def verdicts(report: Report) -> Table:
    """A line for each invariant."""
    table = Table("", "says", "", "checked", "found", box=box.SIMPLE)
    for invariant, tally in report.findings.tallies.items():
        colour = _COLOURS[tally.holds]
        found = [f"{count} {code}" for code, count in (tally.violations + tally.notes).most_common()]
        table.add_row(
            invariant.value,
            invariant.says,
            f"[{colour}]{_WORDS[tally.holds]}[/]",
            "" if tally.checked is None else str(tally.checked),
            escape(tally.why_not or ", ".join(found)),
        )
    return table


def violations(report: Report) -> Table | None:
    """Some of the violations, None when there are none."""
    found = [one for tally in report.findings.tallies.values() for one in tally.examples if one.violation]
    return _listed(found) if found else None


def _listed(found: list[Finding]) -> Table:
    table = Table("", "violation", "job", "where", box=box.SIMPLE)
    for one in found:
        table.add_row(one.invariant.value, one.code, escape(one.job_id or ""), escape(one.where))
    return table


def unfinished(report: Report) -> Table | None:
    """The oldest jobs under way, None when there are none."""
    if not report.unfinished:
        return None
    table = Table(f"unfinished: {report.unfinished_count}", "run", "state", "age", box=box.SIMPLE)
    for one in report.unfinished[:UNFINISHED_MAX]:
        table.add_row(escape(one.job_id), str(one.run), one.state, _age(one.age_s))
    return table


def _age(seconds: float) -> str:
    minutes, left_s = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left_s:02}"
