from __future__ import annotations

from services.transcriber.intake.health import EngineHealth
from services.transcriber.intake.markers import Start
from services.transcriber.ports import EngineCrashed


def start(job: str, number: int = 1) -> Start:
    return Start(job, 1, number)


def crash(health: EngineHealth, *jobs: str, number: int = 1) -> list[Start]:
    """A crash with all these calls in hand; what the last of them is told."""
    error = EngineCrashed("it died", calls=frozenset(start(job).call for job in jobs))
    return [health.crashed(start(job, number), error) for job in jobs][-1]


def test_three_calls_in_a_row_are_the_engines_fault_and_every_start_is_named() -> None:
    health = EngineHealth()

    assert crash(health, "a") == []
    assert crash(health, "b") == []
    assert crash(health, "a", number=2) == []
    assert crash(health, "c") == [start("a"), start("b"), start("a", 2), start("c")]


def test_one_call_however_often_is_its_own_fault() -> None:
    health = EngineHealth()

    assert [crash(health, "a", number=number) for number in range(1, 6)] == [[]] * 5


def test_a_call_that_is_heard_in_between_clears_the_engine() -> None:
    health = EngineHealth()
    crash(health, "a")
    crash(health, "b")
    health.heard()

    assert crash(health, "c") == []


def test_one_crash_with_many_calls_in_hand_is_one_crash() -> None:
    health = EngineHealth()

    assert crash(health, "a", "b", "c", "d") == []
    assert crash(health, "e", "f", "g", "h") == []


def test_two_calls_that_explain_every_crash_between_them_are_at_fault() -> None:
    health = EngineHealth()

    assert crash(health, "poison", "a", "b") == []
    assert crash(health, "c", "venom") == []
    assert crash(health, "d", "poison", "e") == []
    assert crash(health, "venom", "f") == []


def test_crashes_that_no_two_calls_explain_are_the_engines_whoever_is_told_first() -> None:
    health = EngineHealth()
    crash(health, "a", "b")
    crash(health, "c", "d")
    error = EngineCrashed("it died", calls=frozenset({"e/1", "f/1"}))

    assert health.crashed(start("e"), error) == [start(job) for job in "abcde"]
    assert health.crashed(start("f"), error) == [start(job) for job in "abcdef"]


def test_calls_that_always_crash_together_and_then_each_alone_have_a_sick_engine() -> None:
    health = EngineHealth()
    crash(health, "a", "b", "c")
    crash(health, "a", "b", "c", number=2)

    assert crash(health, "a", number=3) == []
    assert crash(health, "b", number=3) == []
    assert len(crash(health, "c", number=3)) == 9
