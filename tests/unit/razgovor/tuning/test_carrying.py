from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from razgovor.tuning import tables
from razgovor.tuning.carrying import FILL, HOURS_A_MONTH, WORKING_HOURS_A_MONTH, Machine
from razgovor.tuning.search import Tried, Verdict
from razgovor.tuning.storing import Stored
from razgovor.tuning.waiting import Backlog

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
MACHINE = Machine(call_s_per_s=10.0, call_s=300.0, stored=Stored(recording=16_000, transcript=300, exports=100))


def test_a_speed_becomes_calls_a_month() -> None:
    assert MACHINE.calls(WORKING_HOURS_A_MONTH) == 176 * 3600 * 10 // 300
    assert MACHINE.busy_hours(10_000) == pytest.approx(10_000 * 300 / 10 / 3600)
    assert MACHINE.gigabytes(10_000) == pytest.approx(10_000 * 300 * 16_400 / 1e9)


def test_a_backlog_is_done_when_its_seconds_are_heard() -> None:
    assert MACHINE.done_at(NOW, 36_000) == datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


@given(st.integers(1, 1_000_000), st.sampled_from([WORKING_HOURS_A_MONTH, HOURS_A_MONTH]))
def test_so_many_machines_suffice_and_one_less_would_not(calls: int, hours: int) -> None:
    machines = MACHINE.machines(calls, hours)

    assert machines * hours * FILL >= MACHINE.busy_hours(calls) - 1e-6
    assert machines == 1 or (machines - 1) * hours * FILL < MACHINE.busy_hours(calls)


def test_the_tables_say_it() -> None:
    console = Console(record=True, width=200)

    console.print(
        tables.of_trials([Tried(question="batch", answer={"batch_size": 8}, verdict=Verdict.FAILED, why="[no] memory")])
    )
    console.print(tables.of_carrying(MACHINE))
    console.print(tables.of_usual(MACHINE))
    console.print(tables.of_store(MACHINE.stored))
    console.print(tables.backlog(MACHINE, Backlog(calls=120, audio_s=36_000), NOW))

    shown = console.export_text()
    assert "batch_size=8" in shown
    assert "does not work here: [no] memory" in shown
    assert "86,400" in shown
    assert "45,000" in shown
    assert "120 calls wait (10.0 h)" in shown
    assert tables.environment({"batch_size": 8}) == ["TRANSCRIBER_BATCH_SIZE=8"]
    assert "recording 16,000, transcript 300, exports (txt, vtt, xlsx) 100" in shown
    assert tables.backlog(MACHINE, Backlog(calls=0, audio_s=0), NOW) == "Nothing waits."
