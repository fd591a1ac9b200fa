"""Ingest's ports, with what they do counted. `__main__` puts them around what it constructs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.audio import Probe
from pipeline.isolation import ChildCrashed
from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics
from services.ingest.clients import UNLIMITED, Quota
from services.ingest.ports import Submissions
from services.ingest.submissions import Accepted, IdempotencyKey, Submission

_PEER = "database"


class MeteredSubmissions:
    """See `ports.Submissions`."""

    def __init__(self, submissions: Submissions, metrics: Metrics) -> None:
        self._submissions = submissions
        self._metrics = metrics

    def submit(self, submission: Submission, idempotency: IdempotencyKey | None, quota: Quota = UNLIMITED) -> Accepted:
        """See `Submissions.submit`."""
        with self._metrics.call(_PEER, "submit"):
            accepted = self._submissions.submit(submission, idempotency, quota)
        if not accepted.repeated:
            seconds = (submission.audio.declared_duration_ms or 0) / 1000
            self._metrics.add(families.ACCEPTED, priority=submission.priority)
            self._metrics.add(families.ACCEPTED_AUDIO, seconds, priority=submission.priority)
        return accepted

    def verify(self) -> None:
        """See `Submissions.verify`."""
        with self._metrics.call(_PEER, "verify"):
            self._submissions.verify()


def counting_crashes(probe: Callable[[Path], Probe], metrics: Metrics) -> Callable[[Path], Probe]:
    """`probe`, and whenever its child died over a file, that."""

    def counted(path: Path) -> Probe:
        try:
            return probe(path)
        except ChildCrashed:
            metrics.add(families.CHILD_CRASHES, child="probe")
            raise

    return counted
