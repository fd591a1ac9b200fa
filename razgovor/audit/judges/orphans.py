"""I4: every old prefix of the store belongs to a known job."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pipeline.contracts import layout
from razgovor.audit.facts import JobFacts
from razgovor.audit.findings import Finding, Invariant
from razgovor.audit.view import View

_found = partial(Finding, Invariant.I4)


def judge(job: JobFacts, view: View) -> Iterator[Finding]:
    """Whether the job's prefix is an orphan."""
    if not job.objects or job.known:
        return
    newest = max(found.modified_at for found in job.objects)
    old = newest < view.now - view.orphan_age
    yield _found("orphan" if old else "young_orphan", job.job_id, layout.job_prefix(job.job_id), violation=old)
