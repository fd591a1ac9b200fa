"""The shipped fake of `calls.ports.Calls`, over the rows of `memory.MemorySubmissions`."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.calls.ports import Refusal, RefusedMeanwhile, Standing
from services.ingest.clients import UNLIMITED, Quota
from services.ingest.submissions import Accepted, IdempotencyKey, Submission


class MemoryCalls:
    """See `calls.ports.Calls`."""

    def __init__(self, rows: MemorySubmissions) -> None:
        self._rows = rows
        self._refusals: dict[str, Refusal] = {}
        self._lock = threading.Lock()

    def standing(self, _client_id: str, job_id: str) -> Standing:
        """See `Calls.standing`."""
        if job_id in self._rows.submissions:
            return Standing(accepted=True)
        return Standing(refusal=self._refusals.get(job_id))

    def submit(self, submission: Submission, _idempotency: IdempotencyKey | None, quota: Quota = UNLIMITED) -> Accepted:
        """See `Calls.submit`."""
        with self._lock:
            known = self._rows.submissions.get(submission.job_id)
            if known is not None:
                return Accepted(submission.job_id, known[1], repeated=True)
            refusal = self._refusals.get(submission.job_id)
            if refusal is not None and refusal.bars(submission.run):
                raise RefusedMeanwhile(refusal)
            return self._rows.submit(submission, None, quota)

    def refuse(self, client_id: str, job_id: str, reason: str, details: Mapping[str, str]) -> Refusal | None:
        """See `Calls.refuse`."""
        with self._lock:
            standing = self.standing(client_id, job_id)
            if standing.accepted:
                return None
            if standing.refusal is not None and standing.refusal.is_final:
                return standing.refusal
            self._refusals[job_id] = Refusal(standing.next_run, reason, dict(details))
            return self._refusals[job_id]

    def verify(self) -> None:
        """See `Submissions.verify`."""
        self._rows.verify()
