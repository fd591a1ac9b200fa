from __future__ import annotations

from services.transcriber.intake.health import EngineHealth
from services.transcriber.intake.markers import Start


def start(job: str, number: int = 1) -> Start:
    return Start(job, 1, number)


def test_three_calls_in_a_row_are_the_engines_fault_and_every_start_is_named() -> None:
    health = EngineHealth()

    assert health.crashed(start("a")) == []
    assert health.crashed(start("b")) == []
    assert health.crashed(start("a", 2)) == []
    assert health.crashed(start("c")) == [start("a"), start("a", 2), start("b"), start("c")]


def test_one_call_however_often_is_its_own_fault() -> None:
    health = EngineHealth()

    assert [health.crashed(start("a", number)) for number in range(1, 6)] == [[]] * 5


def test_a_call_that_is_heard_in_between_clears_the_engine() -> None:
    health = EngineHealth()
    health.crashed(start("a"))
    health.crashed(start("b"))
    health.heard()

    assert health.crashed(start("c")) == []
