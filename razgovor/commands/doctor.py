"""`razgovor doctor`: says what it found, and what to do about it. Joined by `razgovor.__main__`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Final

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from razgovor.cache import cache_folder
from razgovor.doctor.addresses import read_addresses
from razgovor.doctor.examination import Probes, Subject, examine
from razgovor.doctor.finding import Finding, State

_COLOURS: Final = {State.OK: "green", State.WARNING: "yellow", State.MISSING: "red"}


def doctor(
    *,
    data: Annotated[Path, typer.Option(help="The folder that the one-machine stack would write to.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON on standard output.")] = False,
) -> None:
    """Look at broker, database, store, model, disk, memory, Python and clock; exit with 1 if something needed is missing."""
    subject = Subject(addresses=read_addresses(os.environ), cache=cache_folder(os.environ), data=data.absolute())
    with Console(stderr=True).status("looking") as status:
        findings: list[Finding] = []
        for finding in examine(subject, Probes()):
            findings.append(finding)
            status.update(f"looked at {finding.subject}")
    present(findings, as_json=as_json)


def present(findings: list[Finding], *, as_json: bool) -> None:
    """Show the findings.

    Raises:
        typer.Exit: With 1, if something is missing.
    """
    healthy = all(finding.state is not State.MISSING for finding in findings)
    if as_json:
        rows = [_plain(finding) for finding in findings]
        typer.echo(json.dumps({"ok": healthy, "findings": rows}, ensure_ascii=False, indent=2))
    else:
        Console().print(_table(findings))
    if not healthy:
        raise typer.Exit(1)


def _plain(finding: Finding) -> dict[str, str]:
    return {
        "subject": finding.subject,
        "state": finding.state.value,
        "found": finding.found,
        "advice": finding.advice,
    }


def _table(findings: list[Finding]) -> Table:
    table = Table("", "", "found", "what to do", box=box.SIMPLE)
    for finding in findings:
        colour = _COLOURS[finding.state]
        table.add_row(
            finding.subject,
            f"[{colour}]{finding.state.value}[/{colour}]",
            escape(finding.found),
            escape(finding.advice),
        )
    return table
