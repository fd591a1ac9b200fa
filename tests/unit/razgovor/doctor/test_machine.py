"""What the doctor thinks of a machine."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from razgovor.doctor import machine
from razgovor.doctor.finding import State

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=timezone(timedelta(hours=3)))
GIGABYTE = 1_000_000_000


@pytest.mark.parametrize(
    ("version", "state"),
    [((3, 10, 9), State.MISSING), ((3, 11, 0), State.OK), ((3, 14, 9), State.OK), ((3, 15, 0), State.WARNING)],
)
def test_python_is_judged_by_its_version(version: tuple[int, int, int], state: State) -> None:
    assert machine.check_python(version).state is state


def test_packages_that_are_not_installed_are_named() -> None:
    finding = machine.check_packages(["typer", "no-such-package-of-ours"])
    assert finding.state is State.MISSING
    assert "no-such-package-of-ours" in finding.found
    assert "typer" not in finding.found


def test_one_core_is_a_warning() -> None:
    assert machine.check_processor(1).state is State.WARNING
    assert machine.check_processor(2).state is State.OK


def test_no_accelerator_is_no_fault() -> None:
    assert machine.check_accelerator(()).state is State.OK
    assert "H200" in machine.check_accelerator(("NVIDIA H200, 143771 MiB",)).found


@pytest.mark.parametrize(
    ("available_bytes", "model_bytes", "state"),
    [
        (1 * GIGABYTE, 0, State.MISSING),
        (2 * GIGABYTE, 150_000_000, State.WARNING),
        (4 * GIGABYTE, 150_000_000, State.OK),
        (4 * GIGABYTE, 3 * GIGABYTE, State.MISSING),
    ],
)
def test_memory_is_judged_with_the_model(available_bytes: int, model_bytes: int, state: State) -> None:
    assert machine.check_memory(available_bytes, model_bytes).state is state


@pytest.mark.parametrize(
    ("free_bytes", "missing_model_bytes", "state"),
    [
        (100_000_000, 0, State.MISSING),
        (1 * GIGABYTE, 0, State.WARNING),
        (6 * GIGABYTE, 0, State.OK),
        (3 * GIGABYTE, 3 * GIGABYTE, State.MISSING),
    ],
)
def test_disk_is_judged_with_what_is_still_to_come(free_bytes: int, missing_model_bytes: int, state: State) -> None:
    finding = machine.check_disk("models", Path("/x"), free_bytes, missing_model_bytes)
    assert finding.state is state
    assert bool(finding.advice) is (state is not State.OK)


def test_a_clock_before_our_own_files_is_wrong() -> None:
    assert machine.check_clock(NOW, NOW + timedelta(days=2), 0.0).state is State.MISSING
    assert machine.check_clock(NOW, NOW + timedelta(hours=1), 0.0).state is State.OK


def test_files_with_other_times_than_the_clock_are_a_warning() -> None:
    finding = machine.check_clock(NOW, NOW - timedelta(days=2), -90.0)
    assert finding.state is State.WARNING
    assert "-90 s" in finding.found
    assert "+0300" in finding.found


def test_what_is_measured_here_is_plausible(tmp_path: Path) -> None:
    assert machine.usable_cores() >= 1
    assert machine.measure_available_memory_bytes() > 0
    assert machine.measure_free_bytes(tmp_path / "not" / "there" / "yet") > 0
    assert abs(machine.measure_file_skew_s()) < 2
    assert machine.measure_file_skew_s(clock=lambda: 0.0) > 1_000_000
