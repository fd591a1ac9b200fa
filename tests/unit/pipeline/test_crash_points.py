from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import crash_points
from pipeline.crash_points import STEPS, arm, disarm, reach

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def unharmed() -> Iterator[None]:
    yield
    disarm()


def reached_in(source: str) -> Iterator[str | None]:
    """The step of every call of `reach`; None where it is not written out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and "reach" in {getattr(node.func, "id", ""), getattr(node.func, "attr", "")}:
            step = node.args[0]
            yield step.value if isinstance(step, ast.Constant) and isinstance(step.value, str) else None


def reached_in_the_house() -> set[str | None]:
    files = (path for room in ("pipeline", "services", "razgovor") for path in (ROOT / room).rglob("*.py"))
    return {
        step
        for path in files
        if path.name != "crash_points.py" and "crash_points" in (source := path.read_text(encoding="utf-8"))
        for step in reached_in(source)
    }


def test_every_step_reached_is_declared_and_every_declared_one_is_reached() -> None:
    assert reached_in_the_house() == set(STEPS)


def test_steps_are_declared_once() -> None:
    assert len(set(STEPS)) == len(STEPS)


def test_a_call_that_hides_its_step_is_found() -> None:
    assert list(reached_in("reach(f'{stage}.done'); points.reach('a.b')")) == [None, "a.b"]


def test_nobody_but_the_test_entry_arms() -> None:
    arming = {
        str(path.relative_to(ROOT))
        for room in ("pipeline", "services", "razgovor")
        for path in (ROOT / room).rglob("*.py")
        if "crash_points.arm" in (source := path.read_text(encoding="utf-8")) or "import arm" in source
    }
    assert arming <= {"razgovor/chaos/service.py"}


def test_an_armed_step_kills_at_its_nth_reach_and_no_other_does() -> None:
    deaths: list[str] = []
    arm("stream.published:3", lambda: deaths.append("died"))
    for _ in range(2):
        reach("stream.published")
        reach("stream.effect_put")
    assert deaths == []
    reach("stream.published")
    assert deaths == ["died"]
    reach("stream.published")
    assert deaths == ["died"]


def test_nothing_happens_where_nothing_is_armed() -> None:
    assert crash_points._armed is None
    for step in STEPS:
        reach(step)


@pytest.mark.parametrize(
    "spec", ["", "stream.published", "stream.published:", "stream.published:0", "stream.published:-1", "no.such:1"]
)
def test_what_names_no_step_or_no_number_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match=r"no such step|after the colon"):
        arm(spec)
