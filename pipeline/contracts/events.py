"""The events, as frozen values. Their wire form is `schemas/<event>/v<n>.avsc`; a test holds both equal.

An event never carries audio, text of a call, a person's name or a number.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pipeline.contracts import ids, states


class Value(BaseModel):
    """A frozen value that knows exactly its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ObjectRef(Value):
    """An immutable object in the store."""

    key: str
    sha256: str
    size_bytes: int


class AudioObject(ObjectRef):
    """The recording in the store; the media type as sniffed from its bytes."""

    media_type: str
    declared_duration_ms: int | None = None


class Artefact(ObjectRef):
    """One exported file."""

    format: str


class Timings(Value):
    """What the time went to, by the worker's clock."""

    queue_wait_ms: int = 0
    decode_ms: int = 0
    vad_ms: int = 0
    engine_ms: int = 0


class Summary(Value):
    """What is known of a transcript without opening it. `speech_ms` 0: nobody spoke."""

    language: str
    channel_mode: str
    channels: int
    duration_ms: int
    speech_ms: int
    words: int
    confidence: float | None = None
    partial: bool = False
    warnings: tuple[str, ...] = ()
    engine: str
    model: str
    model_sha256: str


class Event(Value):
    """What every event says of its job.

    Attributes:
        TOPIC: The topic it is published on.
        SCHEMA: The folder of its schema.
        VERSION: The schema version this release writes.
    """

    TOPIC: ClassVar[str]
    SCHEMA: ClassVar[str]
    VERSION: ClassVar[int]

    event_id: str
    job_id: str
    run: int = Field(ge=1)
    client_id: str
    call_id: str
    accepted_at: AwareDatetime


class AudioUploaded(Event):
    """A call was accepted; everything the transcriber and the exporter need is resolved here.

    Attributes:
        language: To transcribe in; where `languages` are given, the one if none of these is heard clearly.
        languages: To choose among by what is heard; empty: `language` is fixed.
        glossary_id: Of the client's glossary, `name@hash`.
    """

    TOPIC = "audio.uploaded"
    SCHEMA = "audio_uploaded"
    VERSION = 2

    priority: str
    audio: AudioObject
    call_info_key: str | None = None
    channel_roles: tuple[str, ...]
    language: str
    languages: tuple[str, ...] = ()
    locale: str
    formats: tuple[str, ...]
    glossary_id: str | None = None


class TranscriptReady(Event, Summary):
    """A transcript lies in the store."""

    TOPIC = "transcript.ready"
    SCHEMA = "transcript_ready"
    VERSION = 1

    audio_sha256: str
    transcript: ObjectRef
    call_info_key: str | None = None
    locale: str
    formats: tuple[str, ...]
    turns: int
    timings: Timings


class Completion(Summary):
    """The whole result of a run, taken together or not at all."""

    transcript: ObjectRef
    artefacts: tuple[Artefact, ...]
    timings: Timings


class JobStatus(Event):
    """A job changed its state."""

    TOPIC = "job.status"
    SCHEMA = "job_status"
    VERSION = 1

    state: str
    stage: str
    reason: str | None = None
    details: dict[str, str] = Field(default_factory=dict)
    completion: Completion | None = None


EventT = TypeVar("EventT", bound=Event)

#: Every event by its topic.
BY_TOPIC: dict[str, type[Event]] = {event.TOPIC: event for event in (AudioUploaded, TranscriptReady, JobStatus)}


def envelope(cause: Event, kind: str) -> dict[str, Any]:
    """The common fields of an event that follows from another one, its id fixed by (job, run, kind)."""
    return {
        "event_id": ids.event_id(cause.job_id, cause.run, kind),
        "job_id": cause.job_id,
        "run": cause.run,
        "client_id": cause.client_id,
        "call_id": cause.call_id,
        "accepted_at": cause.accepted_at,
    }


def status(cause: Event, state: str, stage: str, *, completion: Completion | None = None) -> JobStatus:
    """The job.status that follows from `cause`: `transcribing` or `completed`."""
    return JobStatus(**envelope(cause, f"{JobStatus.TOPIC}:{state}"), state=state, stage=stage, completion=completion)


def failure(cause: Event, stage: str, reason: str, details: dict[str, str] | None = None) -> JobStatus:
    """The job.status that says the job failed, with its reason."""
    return JobStatus(
        **envelope(cause, f"{JobStatus.TOPIC}:{states.FAILED}"),
        state=states.FAILED,
        stage=stage,
        reason=reason,
        details=details or {},
    )
