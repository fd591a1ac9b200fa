"""Keeps that a call was refused, takes back what was copied of it, and says so. Called by the stream before it tells."""

from __future__ import annotations

from contextlib import suppress

from pipeline.blobs.ports import BlobStore
from pipeline.contracts import layout
from pipeline.contracts.events import CallRecorded, JobStatus
from pipeline.errors import Transient
from services.ingest.calls.decision import answer
from services.ingest.calls.ports import Calls


class Refusing:
    """See `stream.events.OnFailure`.

    First the refusal is kept: from then on nobody can have the call accepted, so nobody needs what was copied of it.
    """

    def __init__(self, calls: Calls, store: BlobStore) -> None:
        self._calls = calls
        self._store = store

    def __call__(self, event: CallRecorded, failure: JobStatus) -> JobStatus | None:
        """What is told; None: somebody else had it accepted meanwhile."""
        reason = failure.reason or ""
        refusal = self._calls.refuse(event.client_id, event.job_id, reason, failure.details)
        if refusal is None:
            return None
        for key in (layout.call_info_key(event.job_id), layout.audio_key(event.job_id)):
            with suppress(Transient):
                self._store.delete(key)
        return answer(event, refusal)
