"""Holds what was promised against what the record says. Pure, but for the questions that `judge` asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pipeline.contracts import states
from razgovor.chaos.adapters.record import End
from razgovor.chaos.book import Promise, Refusal
from razgovor.chaos.clients import ACCEPTED
from razgovor.chaos.poison import Poison
from razgovor.chaos.worker import Death

#: How a poisoned call may fail. None of them says whose fault the crash was but the first.
POISON_REASONS = {
    "crash": frozenset({"worker_crashed"}),
    "with-parent": frozenset({"worker_crashed"}),
    "memory": frozenset({"worker_crashed"}),
    "hang": frozenset({"worker_crashed", "engine_failed", "decode_timeout"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of the promises.

    Attributes:
        jobs: Promises.
        lost: Without an end, or unknown to the record.
        billed_twice: Calls billed more than once, billed though they failed, or completed and not billed.
        wrong: Calls that were refused, or ended otherwise than they must, in words.
    """

    jobs: int
    lost: int
    billed_twice: int
    wrong: tuple[str, ...]


def judge(promises: Sequence[Promise], ends: Mapping[str, End], refusals: Sequence[Refusal] = ()) -> Verdict:
    """The verdict over promises.

    Args:
        promises: What ingest said 202 to.
        ends: What the record says of these jobs.
        refusals: What it never said 202 to. Every call that the rig sends is one that ingest must take in the end.
    """
    found = [(promise, ends.get(promise.job_id)) for promise in promises]
    known = [(promise, end) for promise, end in found if end is not None and end.state is not None]
    jobs_by_order: dict[int, set[str]] = {}
    for promise in promises:
        jobs_by_order.setdefault(promise.order.number, set()).add(promise.job_id)
    doubled = sum(len(jobs) - 1 for jobs in jobs_by_order.values())
    return Verdict(
        jobs=len(promises),
        lost=len(found) - len(known),
        billed_twice=doubled + sum(end.entries != (end.state == states.COMPLETED) for _, end in known),
        wrong=(*_refused(refusals), *(fault for promise, end in known if (fault := _fault(promise, end)))),
    )


def _refused(refusals: Sequence[Refusal]) -> list[str]:
    return [f"{count} calls were never taken: {why}" for why, count in Counter(one.why for one in refusals).items()]


def unexpected_answers(answers: Mapping[int, int], expected: Collection[int]) -> list[str]:
    """What uploads must not have been answered, though they were taken later, in words.

    Args:
        answers: How often each status was answered; 0: the connection broke, which a client can always see.
        expected: Statuses that are right, besides 202.
    """
    wrong = {status: count for status, count in answers.items() if status not in {0, ACCEPTED, *expected}}
    return [f"{count} uploads were answered with {status}" for status, count in sorted(wrong.items())]


def _fault(promise: Promise, end: End) -> str | None:
    poison = promise.order.poison
    if poison is None:
        return None if end.state == states.COMPLETED else f"a sound call ended as {end.state}: {end.reason}"
    if end.state == states.FAILED and end.reason in POISON_REASONS[how(poison)]:
        return None
    return f"{poison} ended as {end.state}: {end.reason}"


def how(poison: Poison) -> str:
    """What a poison does, whoever takes it."""
    return poison.value.partition("-")[2]


def slowest_recovery_s(promises: Sequence[Promise], ends: Mapping[str, End], deaths: Sequence[Death]) -> float:
    """The longest that a sound call, under way when a process was killed, took to its end after it."""
    kills_s = [death.at_s for death in deaths if death.status < 0]
    times = [
        (promise.accepted_at_s, end.at_s)
        for promise in promises
        if promise.order.poison is None and (end := ends.get(promise.job_id)) is not None and end.at_s is not None
    ]
    return max(
        (ended_s - killed_s for killed_s in kills_s for taken_s, ended_s in times if taken_s <= killed_s < ended_s),
        default=0.0,
    )
