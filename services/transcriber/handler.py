"""`audio.uploaded` in, `transcript.ready` (or `failed`) out. Called by the runner, which applies the outcome.

A transcript of the run that lies in the store already is announced again, without the engine: so a lost announcement
heals, and a call is not transcribed twice.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pipeline.blobs.ports import BlobNotFound, BlobStore
from pipeline.contracts import layout, states
from pipeline.contracts.events import AudioUploaded, JobStatus, ObjectRef, TranscriptReady, envelope, failure, status
from pipeline.contracts.transcript import Transcript, sha256_hex
from pipeline.errors import CallFault
from pipeline.outcome import Outcome, PutObject
from services.transcriber.domain.result import assemble
from services.transcriber.ports import Ports

STAGE: Final = "transcriber"
_MEDIA_TYPE: Final = "application/json"


def started(event: AudioUploaded, store: BlobStore) -> tuple[JobStatus, ...]:
    """What to publish before the work: `transcribing`, or nothing when there is no work left."""
    if find_transcript(event, store) is not None:
        return ()
    return (status(event, states.TRANSCRIBING, STAGE),)


def handle(event: AudioUploaded, received_at: datetime, ports: Ports) -> Outcome[PutObject]:
    """Transcribe a call.

    Args:
        event: The call, all resolved.
        received_at: When the worker picked it up, aware.
        ports: What to read by.

    Returns:
        The transcript to put and its announcement; or the job's failure with its reason.

    Raises:
        Transient: The store does not answer, or a port is being closed.
        Fatal: The model cannot be loaded.
    """
    found = find_transcript(event, ports.store)
    if found is not None:
        return Outcome(events=(found,))
    try:
        data = _transcribe(event, received_at, ports).to_bytes()
    except CallFault as fault:
        return Outcome(events=(failure(event, STAGE, fault.reason, dict(fault.details)),))
    key = layout.transcript_key(event.job_id, event.run, sha256_hex(data))
    return Outcome(effects=(PutObject(key, data, _MEDIA_TYPE),), events=(announcement(event, key, data),))


def find_transcript(event: AudioUploaded, store: BlobStore) -> TranscriptReady | None:
    """The announcement of this run's transcript, if an intact one lies in the store."""
    for blob in store.list(layout.run_prefix(event.job_id, event.run)):
        if not blob.key.endswith(f"/{layout.TRANSCRIPT_NAME}"):
            continue
        data = store.read(blob.key)
        if blob.key == layout.transcript_key(event.job_id, event.run, sha256_hex(data)):
            return announcement(event, blob.key, data)
    return None


def announcement(event: AudioUploaded, key: str, data: bytes) -> TranscriptReady:
    """The `transcript.ready` of these bytes: it follows from them and the event alone, so it is always the same."""
    transcript = Transcript.from_bytes(data)
    return TranscriptReady(
        **envelope(event, TranscriptReady.TOPIC),
        audio_sha256=event.audio.sha256,
        transcript=ObjectRef(key=key, sha256=sha256_hex(data), size_bytes=len(data)),
        call_info_key=event.call_info_key,
        locale=event.locale,
        formats=event.formats,
        language=transcript.language,
        channel_mode=transcript.channel_mode,
        channels=len(transcript.channels),
        duration_ms=round(transcript.duration_s * 1000),
        speech_ms=round(transcript.speech_s * 1000),
        words=len(transcript.words),
        confidence=transcript.confidence,
        partial=transcript.partial,
        warnings=tuple(warning.code for warning in transcript.warnings),
        engine=transcript.provenance.engine,
        model=transcript.provenance.model,
        model_sha256=transcript.provenance.model_sha256,
        turns=len(transcript.turns),
        timings=transcript.timings,
    )


def _transcribe(event: AudioUploaded, received_at: datetime, ports: Ports) -> Transcript:
    waited_ms = round((received_at - event.accepted_at).total_seconds() * 1000)
    try:
        with (
            ports.store.local_path(event.audio.key) as audio,
            ports.front_end.prepare(audio, call=f"{event.job_id}/{event.run}", sha256=event.audio.sha256) as call,
        ):
            heard = ports.engine.transcribe(call.windows, event.language) if call.windows else []
    except BlobNotFound:
        raise CallFault("audio_missing") from None
    return assemble(event, call, heard, ports.engine.facts, max(0, waited_ms))
