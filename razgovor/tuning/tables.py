"""What was tried and what this machine carries, as tables on the terminal. Called by `razgovor transcriber tune`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from rich.markup import escape
from rich.table import Table

from razgovor.tuning.carrying import FILL, HOURS_A_MONTH, USUAL, WORKING_HOURS_A_MONTH, Machine
from razgovor.tuning.plan import Settings
from razgovor.tuning.search import Tried, Verdict
from razgovor.tuning.storing import EXPORTS, Stored
from razgovor.tuning.waiting import Backlog

_STYLES: Final = {
    Verdict.CHOSEN: "green",
    Verdict.COSTS_WORDS: "yellow",
    Verdict.INVENTS: "yellow",
    Verdict.FAILED: "red",
}
PREFIX: Final = "TRANSCRIBER_"
_SETTING_WIDTH: Final = 48


def of_trials(tried: Iterable[Tried]) -> Table:
    """A line for each."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    table.add_column("setting", max_width=_SETTING_WIDTH)
    for title in ("call-s/s", "WER", "in silence"):
        table.add_column(title, justify="right")
    table.add_column("verdict", no_wrap=True)
    question = ""
    for one in tried:
        table.add_row(*_cells(one, one.question if one.question != question else ""), style=_STYLES.get(one.verdict))
        question = one.question
    return table


def _cells(one: Tried, question: str) -> tuple[str, ...]:
    found = one.measured
    figures = (
        ("", "", "")
        if found is None
        else (
            f"{found.call_s_per_s:.1f}",
            f"{found.words.rate:.1%}",
            str(found.silence_words),
        )
    )
    return question, said(one.answer), *figures, escape(f"{one.verdict}: {one.why}" if one.why else str(one.verdict))


def said(chosen: Settings) -> str:
    """Settings in one line."""
    return ", ".join(f"{name}={value}" for name, value in chosen.items())


def environment(chosen: Settings) -> list[str]:
    """Settings as lines of an environment file."""
    return [f"{PREFIX}{name.upper()}={value}" for name, value in chosen.items()]


def of_carrying(machine: Machine) -> Table:
    """What it carries."""
    table = Table(
        title=f"Calls of {machine.call_s / 60:g} min at {machine.call_s_per_s:.1f} seconds of call per second",
        title_justify="left",
        box=None,
        pad_edge=False,
        header_style="bold",
    )
    table.add_column("a month")
    for title in ("calls at most", f"at {FILL:.0%} of that", "GB in the store"):
        table.add_column(title, justify="right")
    for name, hours in (("round the clock (720 h)", HOURS_A_MONTH), ("working hours (176 h)", WORKING_HOURS_A_MONTH)):
        calls = machine.calls(hours)
        table.add_row(name, f"{calls:,}", f"{int(calls * FILL):,}", f"{machine.gigabytes(calls):,.0f}")
    return table


def of_store(stored: Stored) -> str:
    """What its gigabytes are."""
    parts = f"recording {stored.recording:,.0f}, transcript {stored.transcript:,.0f}"
    return f"Bytes a second of call, as measured: {parts}, exports ({', '.join(EXPORTS)}) {stored.exports:,.0f}."


def of_usual(machine: Machine) -> Table:
    """What usual call centres need of it."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in (
        "calls a month",
        "hours of calls",
        "this machine is busy",
        "machines round the clock",
        "in working hours",
        "GB",
    ):
        table.add_column(title, justify="right")
    for calls in USUAL:
        table.add_row(
            f"{calls:,}",
            f"{calls * machine.call_s / 3600:,.0f}",
            f"{machine.busy_hours(calls):,.0f} h",
            str(machine.machines(calls, HOURS_A_MONTH)),
            str(machine.machines(calls, WORKING_HOURS_A_MONTH)),
            f"{machine.gigabytes(calls):,.0f}",
        )
    return table


def backlog(machine: Machine, waiting: Backlog, now: datetime) -> str:
    """When what waits is done."""
    if not waiting.calls:
        return "Nothing waits."
    done_at = machine.done_at(now, waiting.audio_s).astimezone()
    return f"{waiting.calls:,} calls wait ({waiting.audio_s / 3600:,.1f} h): done {done_at:%Y-%m-%d %H:%M} if nothing else comes in."
