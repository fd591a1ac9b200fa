"""I2: one net billed entry per completed run, none per failed, legs sum to 0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC
from functools import partial
from itertools import groupby
from typing import Final

from razgovor.audit.facts import JobFacts, UsageLeg
from razgovor.audit.findings import Finding, Invariant
from razgovor.audit.view import View

BILLED: Final = "transcription"
WAIVED: Final = "transcription_waived"
_LEGS: Final = ["client", "service"]
_found = partial(Finding, Invariant.I2)


def judge(job: JobFacts, _view: View) -> Iterator[Finding]:
    """What is wrong with the job's bills."""
    entries = {
        entry: list(legs)
        for entry, legs in groupby(sorted(job.usage, key=_entry_and_leg), key=lambda leg: (leg.run, leg.kind))
    }
    for (run, kind), legs in entries.items():
        yield from _entry(job, f"run {run}: {kind}", legs)
    completed = {run.run for run in job.runs if run.completed_at is not None}
    billed = {run for run, kind in entries if kind == BILLED}
    for run in sorted(completed - billed):
        yield _found("completed_not_billed", job.job_id, f"run {run}")
    for run in sorted(billed - completed):
        yield _found("billed_not_completed", job.job_id, f"run {run}")
    yield from _waivers(job, entries, billed)


def _entry_and_leg(leg: UsageLeg) -> tuple[int, str, str]:
    return leg.run, leg.kind, leg.leg


def _entry(job: JobFacts, where: str, legs: Sequence[UsageLeg]) -> Iterator[Finding]:
    if [leg.leg for leg in legs] != _LEGS:
        yield _found("not_two_legs", job.job_id, where)
        return
    client, service = legs
    if client.duration_ms + service.duration_ms or client.amount + service.amount:
        yield _found("legs_do_not_sum_to_0", job.job_id, where)
    if client.currency != service.currency:
        yield _found("two_currencies", job.job_id, where)
    for leg in legs:
        if leg.period != leg.accepted_at.astimezone(UTC).strftime("%Y-%m-01"):
            yield _found("another_period", job.job_id, where)
        if job.submission is not None and leg.accepted_at != job.submission.accepted_at:
            yield _found("another_acceptance", job.job_id, where)
    durations = {result.run: result.duration_ms for result in job.results}
    if client.kind == BILLED and client.duration_ms != max(0, durations.get(client.run, client.duration_ms)):
        yield _found("another_duration", job.job_id, where)


def _waivers(job: JobFacts, entries: dict[tuple[int, str], list[UsageLeg]], billed: set[int]) -> Iterator[Finding]:
    """An entry is taken back whole, and only where a lower run stays billed."""
    for run in sorted(run for run, kind in entries if kind == WAIVED):
        where = f"run {run}: {WAIVED}"
        if run not in billed:
            yield _found("waived_not_billed", job.job_id, where)
            continue
        if run == min(billed):
            yield _found("waived_the_first", job.job_id, where)
        posted = {leg.leg: (-leg.duration_ms, -leg.amount) for leg in entries[run, BILLED]}
        if posted != {leg.leg: (leg.duration_ms, leg.amount) for leg in entries[run, WAIVED]}:
            yield _found("waived_another_amount", job.job_id, where)
