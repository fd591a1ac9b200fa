"""`audio.uploaded` in, `transcript.ready` (or `failed`) out. Called by the runner, which applies the outcome.

A transcript of the run that lies in the store already is announced again, without the engine: so a lost announcement
heals, and a call is not transcribed twice. `intake` looks for it when it takes the call on.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pipeline.blobs.ports import BlobNotFound, BlobStore
from pipeline.contracts import layout, states
from pipeline.contracts.events import AudioUploaded, JobStatus, ObjectRef, TranscriptReady, envelope, failure, status
from pipeline.contracts.transcript import Transcript, sha256_hex
from pipeline.crash_points import reach
from pipeline.errors import CallFault, RetriableFault, WorkerCrashed
from pipeline.outcome import Outcome, PutObject
from services.transcriber.conditions import conditions_of, hearing_of
from services.transcriber.domain.recording import Recording
from services.transcriber.domain.result import assemble
from services.transcriber.ports import Ports

STAGE: Final = "transcriber"
_MEDIA_TYPE: Final = "application/json"


def started(event: AudioUploaded) -> JobStatus:
    """What to publish before the work."""
    return status(event, states.TRANSCRIBING, STAGE)


def handle(event: AudioUploaded, received_at: datetime, ports: Ports) -> Outcome[PutObject]:
    """Transcribe a call.

    Args:
        event: The call, all resolved.
        received_at: When the worker picked it up, aware.
        ports: What to read by.

    Returns:
        The transcript to put and its announcement; or the job's failure with its reason.

    Raises:
        WorkerCrashed: The call crashes whoever works on it.
        RetriableFault: `audio_missing`, `audio_mismatch`: a store may show late what was put, or give other bytes once.
        Transient: The store does not answer.
        Postponed: The call is to be done later, or by another.
        Fatal: The model cannot be loaded.
    """
    try:
        data = _transcribe(event, received_at, ports).to_bytes()
    except (WorkerCrashed, RetriableFault):
        raise
    except CallFault as fault:
        return Outcome(events=(failure(event, STAGE, fault.reason, dict(fault.details)),))
    key = layout.transcript_key(event.job_id, event.run, sha256_hex(data))
    return Outcome(effects=(PutObject(key, data, _MEDIA_TYPE),), events=(announcement(event, key, data),))


def find_transcript(event: AudioUploaded, store: BlobStore, names: Iterable[str]) -> TranscriptReady | None:
    """The announcement of this run's transcript, if an intact one lies in the store.

    Args:
        event: The call.
        store: Where it would lie.
        names: What lies under the run's prefix.
    """
    prefix = layout.run_prefix(event.job_id, event.run)
    for name in names:
        if not name.endswith(f"/{layout.TRANSCRIPT_NAME}"):
            continue
        key = prefix + name
        data = store.read(key)
        if key == layout.transcript_key(event.job_id, event.run, sha256_hex(data)):
            return announcement(event, key, data)
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
            ports.front_end.prepare(audio, recording_of(event)) as call,
        ):
            reach("transcriber.prepared")
            conditions = conditions_of(event, call, ports)
            heard = ports.engine.transcribe(call.windows, hearing_of(event, conditions)) if call.windows else []
            reach("transcriber.heard")
    except BlobNotFound:
        raise RetriableFault("audio_missing") from None
    return assemble(event, call, heard, ports.engine.facts, max(0, waited_ms), conditions=conditions)


def recording_of(event: AudioUploaded) -> Recording:
    """What the event says of the recording."""
    audio = event.audio
    return Recording(
        call=f"{event.job_id}/{event.run}",
        sha256=audio.sha256,
        media_type=audio.media_type,
        size_bytes=audio.size_bytes,
        declared_duration_s=None if audio.declared_duration_ms is None else audio.declared_duration_ms / 1000,
        priority=event.priority,
    )
