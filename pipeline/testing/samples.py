"""Events and documents with plausible values, for tests. Every field may be overridden by name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from pipeline.contracts import ids, layout
from pipeline.contracts.events import (
    Artefact,
    AudioObject,
    AudioUploaded,
    CallRecorded,
    Completion,
    JobStatus,
    ObjectRef,
    SourceObject,
    Timings,
    TranscriptReady,
)

ACCEPTED_AT: Final = datetime(2026, 11, 23, 9, 30, 0, 123456, tzinfo=UTC)
SHA256: Final = "0" * 64

_SUMMARY: Final[dict[str, Any]] = {
    "language": "ru",
    "channel_mode": "stereo",
    "channels": 2,
    "duration_ms": 74_010,
    "speech_ms": 51_200,
    "words": 143,
    "confidence": 0.9,
    "partial": False,
    "warnings": (),
    "engine": "faster-whisper/1.2.1",
    "model": "base",
    "model_sha256": SHA256,
}


def _envelope(job_id: str, run: int, kind: str) -> dict[str, Any]:
    return {
        "event_id": ids.event_id(job_id, run, kind),
        "job_id": job_id,
        "run": run,
        "client_id": "acme",
        "call_id": f"call-{job_id}",
        "accepted_at": ACCEPTED_AT,
    }


def call_recorded(event_id: str = "event-1", **fields: Any) -> CallRecorded:
    """A call that an upstream system recorded, its audio in the bucket `acme-calls`."""
    values: dict[str, Any] = {
        "event_id": event_id,
        "client_id": "acme",
        "call_id": f"call-{event_id}",
        "recorded_at": ACCEPTED_AT,
        "audio": SourceObject(bucket="acme-calls", key=f"2026/{event_id}.wav"),
    }
    return CallRecorded(**(values | fields))


def audio_uploaded(job_id: str = "job-1", run: int = 1, **fields: Any) -> AudioUploaded:
    """A stereo call accepted."""
    values: dict[str, Any] = {
        **_envelope(job_id, run, AudioUploaded.TOPIC),
        "priority": "normal",
        "audio": AudioObject(
            key=layout.audio_key(job_id), sha256=SHA256, size_bytes=1_184_216, media_type="audio/x-wav"
        ),
        "call_info_key": layout.call_info_key(job_id),
        "channel_roles": ("operator", "customer"),
        "language": "ru",
        "locale": "ru",
        "formats": ("txt", "vtt", "xlsx"),
    }
    return AudioUploaded(**{**values, **fields})


def transcript_ready(job_id: str = "job-1", run: int = 1, **fields: Any) -> TranscriptReady:
    """Its transcript."""
    values: dict[str, Any] = {
        **_envelope(job_id, run, TranscriptReady.TOPIC),
        **_SUMMARY,
        "audio_sha256": SHA256,
        "transcript": ObjectRef(key=layout.transcript_key(job_id, run, SHA256), sha256=SHA256, size_bytes=20_480),
        "call_info_key": layout.call_info_key(job_id),
        "locale": "ru",
        "formats": ("txt", "vtt", "xlsx"),
        "turns": 18,
        "timings": Timings(queue_wait_ms=120, decode_ms=80, vad_ms=300, engine_ms=9_000),
    }
    return TranscriptReady(**{**values, **fields})


def completion(job_id: str = "job-1", run: int = 1) -> Completion:
    """Transcript and one artefact, together."""
    return Completion(
        **_SUMMARY,
        transcript=ObjectRef(key=layout.transcript_key(job_id, run, SHA256), sha256=SHA256, size_bytes=20_480),
        artefacts=(
            Artefact(
                format="txt", key=layout.artefact_key(job_id, run, SHA256, "txt"), sha256=SHA256, size_bytes=2_048
            ),
        ),
        timings=Timings(queue_wait_ms=120, decode_ms=80, vad_ms=300, engine_ms=9_000),
    )


def job_status(job_id: str = "job-1", run: int = 1, state: str = "completed", **fields: Any) -> JobStatus:
    """The job in a state; `completed` with its completion."""
    values: dict[str, Any] = {
        **_envelope(job_id, run, f"{JobStatus.TOPIC}:{state}"),
        "state": state,
        "stage": "exporter" if state == "completed" else "transcriber",
        "reason": "no_audio" if state == "failed" else None,
        "completion": completion(job_id, run) if state == "completed" else None,
    }
    return JobStatus(**{**values, **fields})
