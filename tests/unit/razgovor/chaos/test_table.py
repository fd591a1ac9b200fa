from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from razgovor.chaos.table import Result, Row, as_table, told

GOOD = Row(fault=4, name="Kafka away", kills=2, jobs=10, recovery_s=29.9, limit_s=30.0)


def test_a_row_without_harm_is_good() -> None:
    assert GOOD.is_good


@pytest.mark.parametrize(
    "harm",
    [{"lost": 1}, {"billed_twice": 1}, {"orphans": 1}, {"recovery_s": 30.1}, {"problems": ("an answer was 500",)}],
)
def test_any_harm_spoils_the_row_and_the_run(harm: dict[str, object]) -> None:
    values = {"fault": 4, "name": "Kafka away", "limit_s": 30.0, **harm}
    bad = Row(**values)  # type: ignore[arg-type]  # one field at a time
    assert not bad.is_good
    assert not Result(seed=1, rows=(GOOD, bad)).is_good


def test_what_the_audit_finds_spoils_the_run() -> None:
    assert not Result(seed=1, rows=(GOOD,), audit=("I1: a job has no end",)).is_good


def test_a_slow_return_is_told_in_words() -> None:
    slow = Row(fault=4, name="Kafka away", recovery_s=31.0, limit_s=30.0)
    assert told([slow]) == ["4 Kafka away: back after 31.0 s, allowed are 30 s"]


def test_a_fault_that_was_not_played_says_why_and_shows_no_figures() -> None:
    skipped = Row(fault=10, name="clock", limit_s=75.0, skipped="no libfaketime")
    console = Console(record=True, width=120, file=None, quiet=False)
    with console.capture() as shown:
        console.print(as_table([skipped]))
    assert "not played" in shown.get()
    assert told([skipped]) == ["10 clock: not played: no libfaketime"]


def test_the_file_holds_what_was_promised_of_each_fault(tmp_path: Path) -> None:
    path = tmp_path / "out" / "chaos.json"
    Result(seed=7, rows=(GOOD,)).write(path)
    written = json.loads(path.read_text(encoding="utf-8"))
    assert (written["seed"], written["good"]) == (7, True)
    row = written["faults"][0]
    assert {
        name: row[name] for name in ("fault", "kills", "jobs", "lost", "billed_twice", "orphans", "recovery_s")
    } == {
        "fault": 4,
        "kills": 2,
        "jobs": 10,
        "lost": 0,
        "billed_twice": 0,
        "orphans": 0,
        "recovery_s": 29.9,
    }
