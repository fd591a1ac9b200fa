"""The shipped fake of `runs.Runs`, over the rows of `memory.MemorySubmissions`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pipeline.contracts import states
from services.ingest import handler
from services.ingest.adapters.memory import MemorySubmissions, OutboxRow
from services.ingest.audit_log import OPERATOR
from services.ingest.clients import UNLIMITED, Quota
from services.ingest.runs import Failed, Heard, Known, Refused, Started, decide, known_of
from services.ingest.submissions import Announcement


def known_job(rows: MemorySubmissions, job_id: str) -> Known | None:
    """What is known of a job; None: there is no such job."""
    if job_id not in rows.submissions:
        return None
    outcome = rows.outcomes.get(job_id)
    return known_of(
        rows.submissions[job_id][0].run,
        None if outcome is None else Heard(outcome.run, outcome.state),
        canceled_run=rows.canceled_runs.get(job_id),
        erased=job_id in rows.erased,
        expired=outcome is not None and outcome.audio_expired_at is not None,
    )


class MemoryRuns:
    """See `runs.Runs`."""

    def __init__(self, submissions: MemorySubmissions) -> None:
        self._rows = submissions

    def start(
        self,
        job_id: str,
        *,
        client_id: str | None = None,
        allowed: frozenset[str],
        after_run: int | None = None,
        dry_run: bool = False,
        quota: Quota = UNLIMITED,
        by: str = OPERATOR,  # noqa: ARG002  nobody asks
    ) -> Started | Refused:
        """See `Runs.start`."""
        row = self._rows.submissions.get(job_id)
        theirs = row is not None and client_id not in {None, row[0].client_id}
        answer = decide(job_id, None if theirs else known_job(self._rows, job_id), allowed, after_run)
        if isinstance(answer, Started) and not dry_run:
            self._rows.check_quota(self._rows.submissions[job_id][0], quota)
            self._begin(answer)
        return answer

    def _begin(self, started: Started) -> None:
        submission, accepted_at = self._rows.submissions[started.job_id]
        again = replace(submission, run=started.run)
        self._rows.submissions[started.job_id] = (again, accepted_at)
        for row in self._rows.outbox.values():
            row.closed = row.closed or row.announcement.event.job_id == started.job_id
        outbox_id = len(self._rows.outbox) + 1
        self._rows.outbox[outbox_id] = OutboxRow(Announcement(outbox_id, handler.announcement(again, accepted_at)))

    def find_failed(self, *, reason: str | None, since: datetime | None, limit: int) -> list[Failed]:
        """See `Runs.find_failed`."""
        rows = sorted(self._rows.submissions.values(), key=lambda row: (row[1], row[0].job_id))
        failed = [
            Failed(submission.job_id, outcome.run, outcome.reason or "", outcome.finished_at)
            for submission, _accepted_at in rows
            if (outcome := self._rows.outcomes.get(submission.job_id)) is not None
            and (outcome.run >= submission.run, outcome.state) == (True, states.FAILED)
        ]
        return [
            job
            for job in failed
            if (reason is None or job.reason == reason)
            and (since is None or (job.finished_at is not None and job.finished_at >= since))
        ][:limit]
