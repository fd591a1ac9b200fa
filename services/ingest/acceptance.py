"""Makes a finished upload an accepted job: visible, probed, call.json beside it, one transaction. Blocking.

Called by `web.submit` in a thread. What is not accepted leaves nothing behind, as far as the store lets us.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.audio import Probe
from pipeline.blobs.ports import BlobStore
from pipeline.contracts import layout
from pipeline.crash_points import reach
from pipeline.errors import CallFault, Transient
from pipeline.isolation import ChildError
from pipeline.telemetry import logs
from services.ingest import handler
from services.ingest.clients import Client
from services.ingest.fields import CallFields
from services.ingest.ports import OutcomeUnknown, Submissions
from services.ingest.submissions import Accepted, IdempotencyKey, StoredAudio
from services.ingest.upload import Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as far as it is checked.

    Attributes:
        key_binds_fields: Whether the idempotency key stands for the fields too, or for the recording alone.
        languages: Those that this installation transcribes.
        run: The job's first.
    """

    client: Client
    fields: CallFields
    file_name: str | None
    idempotency_key: str | None
    key_binds_fields: bool = True
    languages: frozenset[str] = frozenset({"ru"})
    run: int = handler.FIRST_RUN


class Acceptance:
    """Accepts uploads.

    Args:
        store: Where recordings lie.
        submissions: Where they are kept.
        probe: Tells what a file's header says; its child process may crash or hang.
        on_accepted: Told after every accepted job: wakes the relay.
        keeps: Leave what was put where it is, also of what is not accepted: it may be another's.
    """

    def __init__(
        self,
        store: BlobStore,
        submissions: Submissions,
        probe: Callable[[Path], Probe],
        on_accepted: Callable[[], None],
        *,
        keeps: bool = False,
    ) -> None:
        self._store = store
        self._submissions = submissions
        self._probe = probe
        self._on_accepted = on_accepted
        self._keeps = keeps

    def accept(self, upload: Upload, request: Request) -> Accepted:
        """Accept a finished upload.

        Raises:
            Problem: `idempotency_mismatch`, `quota_exceeded`.
            Transient: Store or database do not answer; nothing was accepted, except with OutcomeUnknown.
        """
        keep = self._keeps
        try:
            accepted = self._accept(upload, request)
            keep = keep or not accepted.repeated
        except OutcomeUnknown:
            keep = True  # an accepted job without its recording would be worse than an orphan, which is swept later
            raise
        finally:
            if not keep:
                self._discard(upload.job_id)
        self._on_accepted()
        return accepted

    def _accept(self, upload: Upload, request: Request) -> Accepted:
        stored = upload.commit()
        reach("ingest.audio_put")
        headerless = upload.headerless
        found = self._probed(upload) if headerless is None else headerless.probe(stored.size_bytes)
        audio = _described(stored, found)
        fields = request.fields
        submission = handler.resolve(
            upload.job_id,
            request.client,
            fields,
            audio,
            file_name=request.file_name,
            languages=request.languages,
            run=request.run,
        )
        self._store.put(submission.call_info_key, submission.call_info.to_bytes(), media_type="application/json")
        reach("ingest.call_info_put")
        idempotency = None
        if request.idempotency_key is not None:
            bound = fields if request.key_binds_fields else CallFields()
            idempotency = IdempotencyKey(request.idempotency_key, bound.fingerprint(audio.sha256))
        return self._submissions.submit(submission, idempotency, request.client.quota)

    def _probed(self, upload: Upload) -> Probe | None:
        with upload.as_file() as path:
            try:
                return self._probe(path)
            except (ChildError, CallFault) as error:
                # Nothing is known then; the transcriber finds out what the recording is, and names it.
                logs.get(__name__).info("probe_failed", error=type(error).__name__)
                return None

    def _discard(self, job_id: str) -> None:
        for key in (layout.call_info_key(job_id), layout.audio_key(job_id)):
            with suppress(Transient):  # an orphan then; the ledger's janitor sweeps those
                self._store.delete(key)


def _described(audio: StoredAudio, found: Probe | None) -> StoredAudio:
    if found is None:
        return audio
    return replace(
        audio,
        declared_duration_ms=found.declared_duration_ms,
        sample_rate_hz=found.sample_rate_hz,
        channels=found.channels,
    )
