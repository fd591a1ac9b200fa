from __future__ import annotations

import pytest

from pipeline.contracts.topics import GROUPS
from pipeline.crash_points import STEPS
from razgovor.chaos.faults import repetition
from razgovor.chaos.faults.crash_points import STEPS_OF
from razgovor.chaos.faults.records import bad_records
from razgovor.chaos.script import FAULTS, script


def numbers(seed: int) -> list[int]:
    return [fault.number for fault in script(seed)]


def test_a_seed_plays_the_same_script_again() -> None:
    assert numbers(3) == numbers(3)


def test_another_seed_plays_another_order_of_the_same_faults() -> None:
    orders = {tuple(numbers(seed)) for seed in range(5)}
    assert len(orders) > 1
    assert {tuple(sorted(order)) for order in orders} == {tuple(sorted(FAULTS))}


def test_only_the_faults_asked_for_are_played() -> None:
    assert sorted(fault.number for fault in script(1, [4, 2])) == [2, 4]


def test_the_long_form_ends_with_the_replay_of_everything() -> None:
    order = [fault.number for fault in script(3, long=True)]
    assert order[-1] == 12
    assert sorted(order) == sorted(FAULTS)


def test_an_unknown_fault_is_named() -> None:
    with pytest.raises(ValueError, match="99"):
        script(1, [1, 99])


#: Steps of every consumer that a service never comes by.
NEVER = {
    "ingest": {"stream.retry_published"},  # a call that fails is refused, and its writer may send another event
    "transcriber": set[str](),
    "exporter": {"stream.retry_published"},  # there is no retry topic of its own
    "ledger": {  # handles batches, and has no effect but its transaction
        "stream.decoded",
        "stream.announced",
        "stream.decided",
        "stream.retry_published",
        "stream.effect_put",
        "stream.published",
    },
}


@pytest.mark.parametrize("service", GROUPS)
def test_every_crash_point_there_is_kills_each_service_that_comes_by(service: str) -> None:
    expected = {step for step in STEPS if step.partition(".")[0] in {"stream", service}} - NEVER[service]
    assert set(STEPS_OF[service]) == expected
    assert len(STEPS_OF[service]) == len(expected)


def test_every_group_is_played_again() -> None:
    assert set(repetition.GROUPS) == set(GROUPS) == set(repetition.READ_BY)


def test_bad_records_differ_in_what_is_wrong() -> None:
    found = [(record.value, record.headers) for record in bad_records().values()]
    assert len(set(found)) == len(found)
