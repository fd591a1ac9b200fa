"""I7: nothing crosses from client to client, as far as what lies there can tell."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pipeline.contracts import layout
from razgovor.audit.facts import JobFacts
from razgovor.audit.findings import Finding, Invariant
from razgovor.audit.view import View

_found = partial(Finding, Invariant.I7)


def judge(job: JobFacts, _view: View) -> Iterator[Finding]:
    """What of the job is another's."""
    yield from _clients(job)
    yield from _keys(job)
    yield from _transcripts(job)


def _clients(job: JobFacts) -> Iterator[Finding]:
    owner = client_of(job)
    said = [(row.client_id, name) for row, name in ((job.submission, "submission"), (job.job, "job")) if row]
    said += [(leg.client_id, f"usage of run {leg.run}") for leg in job.usage]
    said += [(record.client_id, record.place) for record in job.records if record.client_id is not None]
    for client_id, where in said:
        if client_id != owner:
            yield _found("another_client", job.job_id, where)


def client_of(job: JobFacts) -> str | None:
    """Whose job it is: as ingest says, else as the ledger does."""
    if job.submission is not None:
        return job.submission.client_id
    return job.job.client_id if job.job else next((record.client_id for record in job.records), None)


def _keys(job: JobFacts) -> Iterator[Finding]:
    named = [(made.key, layout.run_prefix(job.job_id, made.run)) for made in job.artefacts]
    named += [(result.transcript_key, layout.run_prefix(job.job_id, result.run)) for result in job.results]
    if job.submission is not None:
        named.append((job.submission.audio_key, layout.job_prefix(job.job_id)))
    for key, prefix in named:
        if not key.startswith(prefix):
            yield _found("key_of_another_job", job.job_id, key)


def _transcripts(job: JobFacts) -> Iterator[Finding]:
    for found in job.objects:
        if found.says is None:
            continue
        run_prefix = layout.run_prefix(job.job_id, found.says.run or 0)
        if found.says.job_id != job.job_id or not found.key.startswith(run_prefix):
            yield _found("transcript_of_another_job", job.job_id, found.key)
        elif found.says.client != client_of(job):
            yield _found("transcript_of_another_client", job.job_id, found.key)
