"""I1: every accepted job ends in exactly one of completed, failed, canceled; erased may come over it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from pipeline.contracts import states
from razgovor.audit.facts import JobFacts, RunRow, Submission
from razgovor.audit.findings import Finding, Invariant
from razgovor.audit.view import View

_ENDS: Final = frozenset({states.FAILED, states.CANCELED, states.COMPLETED})
_found = partial(Finding, Invariant.I1)


def judge(job: JobFacts, view: View) -> Iterator[Finding]:
    """What is wrong with the job's ends."""
    yield from _unheard_of(job)
    for run in job.runs:
        yield from _not_the_strongest(job, run)
    if job.submission is not None and not is_over(job):
        yield _found("unfinished", job.job_id, f"run {job.submission.run}", violation=view.drained)


def is_over(job: JobFacts) -> bool:
    """Whether the newest run has ended, as far as the ledger knows."""
    newest = _newest_run(job)
    return any(run.run >= newest and run.state in states.TERMINAL for run in job.runs)


def age_s(submission: Submission, view: View) -> float:
    """Since it was accepted, by the database's clock."""
    return (view.now - submission.accepted_at).total_seconds()


def _newest_run(job: JobFacts) -> int:
    return max(job.submission.run if job.submission else 0, job.job.run if job.job else 0)


def _unheard_of(job: JobFacts) -> Iterator[Finding]:
    if job.job is None:
        return
    if job.submission is None:
        if job.refused is None:
            yield _found("never_accepted", job.job_id)
    elif job.job.run > job.submission.run:
        yield _found("run_never_started", job.job_id, f"run {job.job.run}")


def _not_the_strongest(job: JobFacts, run: RunRow) -> Iterator[Finding]:
    claims = {state for seen in job.seen if seen.run == run.run and (state := seen.state or "") in states.ORDER}
    strongest = max(map(states.rank, claims), default=-1)
    if run.state in states.ORDER and states.rank(run.state) != strongest:
        yield _found("not_the_strongest_claim", job.job_id, f"run {run.run}: {run.state}")
    if len(claims & _ENDS) > 1:
        # The strongest stands, and only that is billed; still, somebody was told otherwise.
        yield _found("told_two_ends", job.job_id, f"run {run.run}", violation=False)
