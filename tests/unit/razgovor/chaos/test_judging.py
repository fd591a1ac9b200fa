from __future__ import annotations

import pytest

from razgovor.chaos.adapters.record import End
from razgovor.chaos.book import Order, Promise, Refusal
from razgovor.chaos.judging import Verdict, judge, slowest_recovery_s, unexpected_answers
from razgovor.chaos.poison import Poison
from razgovor.chaos.worker import Death


def promise(number: int, *, job: str | None = None, poison: Poison | None = None, at_s: float = 100.0) -> Promise:
    order = Order(number=number, client="acme", data=b"", poison=poison)
    return Promise(order=order, job_id=job or f"job-{number}", accepted_at_s=at_s)


def end(
    number: int, state: str | None = "completed", *, reason: str | None = None, entries: int = 1, at_s: float = 101.0
) -> End:
    return End(f"job-{number}", f"call-{number}", state, reason, at_s, entries)


def verdict(promises: list[Promise], *ends: End) -> Verdict:
    return judge(promises, {one.job_id: one for one in ends})


def test_a_promise_that_ended_and_was_billed_once_is_kept() -> None:
    assert verdict([promise(1)], end(1)) == Verdict(jobs=1, lost=0, billed_twice=0, wrong=())


def test_a_job_that_did_not_end_is_lost() -> None:
    assert verdict([promise(1)], end(1, None, entries=0)).lost == 1


def test_a_job_that_nobody_knows_is_lost() -> None:
    assert verdict([promise(1)]).lost == 1


@pytest.mark.parametrize("entries", [0, 2])
def test_a_completed_job_is_billed_exactly_once(entries: int) -> None:
    assert verdict([promise(1)], end(1, entries=entries)).billed_twice == 1


def test_a_failed_job_is_not_billed() -> None:
    poisoned = promise(1, poison=Poison.ENGINE_CRASH)
    assert verdict([poisoned], end(1, "failed", reason="worker_crashed", entries=1)).billed_twice == 1


def test_one_order_that_became_two_jobs_is_billed_twice() -> None:
    assert verdict([promise(1), promise(1, job="job-2")], end(1), end(2)).billed_twice == 1


def test_a_sound_call_must_complete() -> None:
    assert verdict([promise(1)], end(1, "failed", reason="worker_crashed", entries=0)).wrong == (
        "a sound call ended as failed: worker_crashed",
    )


@pytest.mark.parametrize("poison", list(Poison))
def test_a_poisoned_call_must_fail_with_a_reason_of_its_own(poison: Poison) -> None:
    kept = verdict([promise(1, poison=poison)], end(1, "failed", reason="worker_crashed", entries=0))
    survived = verdict([promise(1, poison=poison)], end(1))
    assert (kept.wrong, len(survived.wrong)) == ((), 1)


def death(at_s: float, status: int = -9) -> Death:
    return Death(worker="ledger-0", status=status, at_s=at_s, asked=False)


def test_recovery_is_the_longest_wait_of_a_call_that_was_under_way_at_a_kill() -> None:
    promises = [promise(1, at_s=10.0), promise(2, at_s=30.0)]
    ends = {one.job_id: one for one in (end(1, at_s=25.0), end(2, at_s=31.0))}
    assert slowest_recovery_s(promises, ends, [death(12.0), death(20.0)]) == 13.0


def test_an_orderly_end_needs_no_recovery() -> None:
    assert slowest_recovery_s([promise(1, at_s=10.0)], {"job-1": end(1, at_s=25.0)}, [death(12.0, 0)]) == 0.0


def test_a_call_that_was_never_taken_is_told_with_the_last_answer() -> None:
    refusals = [Refusal(order=promise(number).order, why="422 invalid_field") for number in (1, 2)]
    assert judge([], {}, refusals).wrong == ("2 calls were never taken: 422 invalid_field",)


def test_answers_are_held_against_those_that_a_fault_allows() -> None:
    answers = {0: 3, 202: 10, 500: 1, 503: 2}
    assert unexpected_answers(answers, {503}) == ["1 uploads were answered with 500"]
    assert len(unexpected_answers(answers, ())) == 2
