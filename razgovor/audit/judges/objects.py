"""I3: every row that names an object has it, with the same size and hash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from pipeline.contracts import layout, states
from razgovor.audit.facts import JobFacts, RunRow
from razgovor.audit.findings import Finding, Invariant
from razgovor.audit.view import View

_found = partial(Finding, Invariant.I3)


@dataclass(frozen=True, slots=True)
class Named:
    """An object as a row names it."""

    key: str
    sha256: str
    size_bytes: int


def judge(job: JobFacts, view: View) -> Iterator[Finding]:
    """What is wrong with the job's objects."""
    for run in _kept_runs(job, view):
        yield from _result(job, run)
    if not view.store:
        return
    lying = {found.key: found for found in job.objects}
    for named in named_objects(job, view):
        found = lying.get(named.key)
        if found is None:
            yield _found("object_missing", job.job_id, named.key)
        elif found.size_bytes != named.size_bytes:
            yield _found("another_size", job.job_id, named.key)
        elif found.sha256 is not None and found.sha256 != named.sha256:
            yield _found("another_hash", job.job_id, named.key)


def named_objects(job: JobFacts, view: View) -> Iterator[Named]:
    """What must lie in the store by the rows of a job."""
    submission, row = job.submission, job.job
    audio_expired = _expired(job, view) or (row is not None and row.audio_expired)
    if submission is not None and not _erased(job) and not audio_expired:
        yield Named(submission.audio_key, submission.audio_sha256, submission.audio_size_bytes)
    if row is not None and row.transcript_expired:
        return
    kept = {run.run for run in _kept_runs(job, view)}
    for result in job.results:
        if result.run in kept:
            yield Named(result.transcript_key, result.transcript_sha256, result.transcript_size_bytes)
    for made in job.artefacts:
        if made.run in kept:
            yield Named(made.key, made.sha256, made.size_bytes)


def _kept_runs(job: JobFacts, view: View) -> Iterator[RunRow]:
    if _erased(job):
        return
    for run in job.runs:
        if run.completed_at is not None and (view.retention is None or run.completed_at > view.now - view.retention):
            yield run


def _erased(job: JobFacts) -> bool:
    return any(run.state == states.ERASED or run.erased_at is not None for run in job.runs)


def _expired(job: JobFacts, view: View) -> bool:
    accepted_at = job.submission.accepted_at if job.submission else view.now
    return view.retention is not None and accepted_at <= view.now - view.retention


def _result(job: JobFacts, run: RunRow) -> Iterator[Finding]:
    results = [result for result in job.results if result.run == run.run]
    if not results:
        yield _found("completed_without_result", job.job_id, f"run {run.run}")
    for result in results:
        if result.transcript_key != layout.transcript_key(job.job_id, run.run, result.transcript_sha256):
            yield _found("key_of_another_hash", job.job_id, result.transcript_key)
