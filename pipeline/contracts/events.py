"""The events, as frozen values. Their wire form is `schemas/<event>/v<n>.avsc`; a test holds both equal.

An event never carries audio, text of a call, a person's name or a number.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

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
        DERIVED: Fields that follow from others, so they are not on the wire.
    """

    TOPIC: ClassVar[str]
    SCHEMA: ClassVar[str]
    VERSION: ClassVar[int]
    DERIVED: ClassVar[frozenset[str]] = frozenset()

    event_id: str
    job_id: str
    run: int = Field(ge=1)
    client_id: str
    call_id: str
    accepted_at: AwareDatetime

    @property
    def key(self) -> str:
        """The key of its record: what has this one keeps its order."""
        return self.job_id


class SourceObject(Value):
    """A recording where its owner keeps it.

    Attributes:
        sha256: Hex digest; None: not told, so not checked.
        size_bytes: Likewise.
    """

    bucket: str
    key: str
    sha256: str | None = None
    size_bytes: int | None = None


class CallRecorded(Event):
    """An upstream system has recorded a call. The only event that others write; see docs/events.md.

    Its fields are checked as those of an upload are, but for its ids: what has none that can be one is no event of ours.

    The job that it asks for is derived: its id from client and event, its run is the first, and until something is
    accepted it counts from the moment of the recording.

    Attributes:
        event_id: The writer's own: the same event sent again is the same job.
        call_info_key: In the audio's bucket, JSON of what names people.
    """

    TOPIC = "call.recorded"
    SCHEMA = "call_recorded"
    VERSION = 1
    DERIVED = frozenset({"job_id", "run", "accepted_at"})

    event_id: str = Field(pattern=r"^[\x21-\x7e]{1,128}\z")
    client_id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}\z")
    call_id: str = Field(pattern=r"^[A-Za-z0-9._:-]{1,128}\z")
    recorded_at: AwareDatetime
    audio: SourceObject
    call_info_key: str | None = None
    started_at: AwareDatetime | None = None
    direction: str | None = None
    channel_roles: tuple[str, ...] = ()
    language: str | None = None
    locale: str | None = None
    formats: tuple[str, ...] = ()
    priority: str = "normal"
    codec: str | None = None
    sample_rate_hz: int | None = None
    channel_count: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_the_job(cls, said: Any) -> Any:
        if not isinstance(said, dict):
            return said
        job_id = ids.job_of_event(str(said.get("client_id")), str(said.get("event_id")))
        return {"job_id": job_id, "run": 1, "accepted_at": said.get("recorded_at"), **said}

    @property
    def key(self) -> str:
        """See `Event.key`."""
        return self.call_id


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

#: The events of jobs, by their topics: what the ledger records.
OF_JOBS: dict[str, type[Event]] = {event.TOPIC: event for event in (AudioUploaded, TranscriptReady, JobStatus)}
#: Every event by its topic.
BY_TOPIC: dict[str, type[Event]] = {**OF_JOBS, CallRecorded.TOPIC: CallRecorded}


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
