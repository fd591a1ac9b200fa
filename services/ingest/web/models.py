"""What the API says, as documents. Times are UTC with their zone, units stand in names."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.contracts.reasons import reason_text
from services.ingest.jobs import Job, Outcome
from services.ingest.submissions import Accepted

_JOB_ID: Final = "3f0b8f0e-6d3c-4c39-9a51-5f2f8f6c0a11"
State = Literal["queued", "transcribing", "transcribed", "failed", "canceling", "canceled", "completed", "erased"]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True)


class AcceptedDocument(_Document):
    """An accepted job. It will end as completed or failed, unless you cancel or erase it."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "job_id": _JOB_ID,
                "state": "queued",
                "accepted_at": "2026-01-31T11:05:09.120000Z",
                "links": {"self": f"/v1/jobs/{_JOB_ID}"},
            }
        },
    )

    job_id: str
    state: Literal["queued"] = "queued"
    accepted_at: datetime
    links: dict[str, str]

    @classmethod
    def of(cls, accepted: Accepted) -> AcceptedDocument:
        """What is told of a job that was accepted."""
        return cls(job_id=accepted.job_id, accepted_at=accepted.accepted_at, links={"self": job_url(accepted.job_id)})


class ProblemDocument(_Document):
    """An error, RFC 9457. `code` is stable; give `request_id` when you report it."""

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        json_schema_extra={
            "example": {
                "type": "urn:razgovor:problem:invalid_field",
                "title": "A field is not valid",
                "status": 422,
                "detail": "must be ISO 8601 with a zone, e.g. 2026-01-31T14:05:00+03:00",
                "code": "invalid_field",
                "field": "started_at",
                "request_id": "7d1c2f60-6a5e-4b8e-8d0b-0b2f6f0f8a55",
            }
        },
    )

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    request_id: str


class ReasonDocument(_Document):
    """Why a job failed: a stable code, and a sentence in the job's locale."""

    code: str
    text: str
    details: dict[str, str]


class AudioDocument(_Document):
    """The recording as it came. The media type is what its bytes say."""

    sha256: str
    size_bytes: int
    media_type: str
    file_name: str | None
    declared_duration_ms: int | None = Field(description="As its header claims; headers lie.")
    expired_at: datetime | None = Field(description="Since when it is kept no longer.")


class CallDocument(_Document):
    """What you said about the call."""

    started_at: datetime | None
    direction: str | None
    operator: str | None
    customer_number: str | None
    queue: str | None
    metadata: dict[str, str]


class ResultDocument(_Document):
    """What is known of the transcript without opening it. `speech_ms` 0: nobody spoke."""

    channel_mode: str | None
    channels: int | None
    duration_ms: int | None
    speech_ms: int | None
    words: int | None
    turns: int | None
    confidence: float | None
    partial: bool | None = Field(description="The recording was shorter than its header claims.")
    warnings: tuple[str, ...]
    engine: str | None
    model: str | None
    model_sha256: str | None
    expired_at: datetime | None = Field(description="Since when the transcript is kept no longer.")


class TimingsDocument(_Document):
    """What the time went to."""

    queue_wait_ms: int | None
    decode_ms: int | None
    vad_ms: int | None
    engine_ms: int | None
    total_ms: int | None


class ErasureDocument(_Document):
    """The receipt of an erasure."""

    requested_at: datetime
    erased_at: datetime | None = Field(description="When nothing of it was left in the store; null: not yet.")
    objects: int = Field(description="Objects deleted so far; late ones are looked for, for a day.")


class StoppingDocument(_Document):
    """A job that is being called off."""

    job_id: str
    run: int
    state: Literal["canceling", "canceled", "erased"]
    requested_at: datetime
    links: dict[str, str]


class RequeuedDocument(_Document):
    """A job that is done again, as a new run."""

    job_id: str
    run: int
    state: Literal["queued"] = "queued"
    links: dict[str, str]


class JobDocument(_Document):
    """A job: one recording through the pipeline."""

    job_id: str
    call_id: str
    state: State
    run: int
    accepted_at: datetime
    transcribing_at: datetime | None
    finished_at: datetime | None
    priority: str
    language: str
    locale: str
    formats: tuple[str, ...]
    channel_roles: tuple[str, ...]
    reason: ReasonDocument | None = Field(description="Only of a failed job.")
    audio: AudioDocument
    call: CallDocument
    other_parts: bool = Field(description="Whether other jobs of yours have the same `chain_id`: a transferred call.")
    result: ResultDocument | None = Field(description="Only of a completed job.")
    timings: TimingsDocument | None
    erasure: ErasureDocument | None = Field(description="Only of an erased job.")
    links: dict[str, str]


class ProgressDocument(_Document):
    """How far a job is."""

    job_id: str
    run: int
    state: State
    progress: float = Field(ge=0, le=1, description="By the state alone: 1 is its end, whatever end that is.")
    reason: ReasonDocument | None = Field(description="Only of a failed job.")


class WaveformDocument(_Document):
    """How loud a recording is over time: of each channel peaks at equal distances, 10,000 for full scale."""

    duration_s: float
    channels: list[list[int]]


class SessionDocument(_Document):
    """Who is signed in to the page."""

    client_id: str
    name: str
    locale: str = Field(description="Language of exports and reasons, unless a job says otherwise.")
    scopes: list[Literal["submit", "read", "admin"]]
    ends_at: datetime | None = Field(description="When the session ends by itself; null: the key itself was sent.")
    max_audio_bytes: int = Field(description="A larger recording is refused.")


class JobPageDocument(_Document):
    """Jobs, newest first. `next_cursor` is null on the last page."""

    jobs: list[JobDocument]
    next_cursor: str | None


class HealthDocument(_Document):
    """Whether the service lives, or is ready: each peer with `ok` or `unavailable`."""

    status: Literal["alive", "ready", "unready"]
    peers: dict[str, Literal["ok", "unavailable"]] = Field(default_factory=dict)


def job_document(job: Job) -> JobDocument:
    """A job for its client."""
    outcome = job.outcome
    return JobDocument(
        job_id=job.job_id,
        call_id=job.call_id,
        state=known_state(outcome.state),
        run=outcome.run,
        accepted_at=job.accepted_at,
        transcribing_at=outcome.transcribing_at,
        finished_at=outcome.finished_at,
        priority=job.priority,
        language=job.language,
        locale=job.locale,
        formats=job.formats,
        channel_roles=job.channel_roles,
        reason=reason_document(job),
        audio=AudioDocument(
            sha256=job.audio.sha256,
            size_bytes=job.audio.size_bytes,
            media_type=job.media_type,
            file_name=job.file_name,
            declared_duration_ms=job.declared_duration_ms,
            expired_at=outcome.audio_expired_at,
        ),
        call=CallDocument(
            started_at=job.started_at,
            direction=job.direction,
            operator=job.operator,
            customer_number=job.customer_number,
            queue=job.queue,
            metadata=job.metadata,
        ),
        other_parts=job.other_parts,
        result=_result(outcome),
        timings=_timings(outcome),
        erasure=_erasure(job),
        links=_links(job),
    )


def reason_document(job: Job) -> ReasonDocument | None:
    """Why a job failed; None if it did not."""
    code, details = job.outcome.reason, job.outcome.details
    if code is None:
        return None
    return ReasonDocument(code=code, text=reason_text(code, details, job.locale), details=details)


def job_url(job_id: str) -> str:
    """A job's address."""
    return f"/v1/jobs/{job_id}"


def known_state(state: str) -> Any:
    """A state for a document."""
    return state  # the document's validation refuses what is not a State


def _erasure(job: Job) -> ErasureDocument | None:
    erasure = job.erasure
    if erasure is None:
        return None
    return ErasureDocument(requested_at=erasure.requested_at, erased_at=erasure.erased_at, objects=erasure.objects)


def _result(outcome: Outcome) -> ResultDocument | None:
    if outcome.transcript is None:
        return None
    return ResultDocument(
        channel_mode=outcome.channel_mode,
        channels=outcome.channels,
        duration_ms=outcome.duration_ms,
        speech_ms=outcome.speech_ms,
        words=outcome.words,
        turns=outcome.turns,
        confidence=outcome.confidence,
        partial=outcome.partial,
        warnings=outcome.warnings,
        engine=outcome.engine,
        model=outcome.model,
        model_sha256=outcome.model_sha256,
        expired_at=outcome.transcript_expired_at,
    )


def _timings(outcome: Outcome) -> TimingsDocument | None:
    if outcome.finished_at is None:
        return None
    return TimingsDocument(
        queue_wait_ms=outcome.queue_wait_ms,
        decode_ms=outcome.decode_ms,
        vad_ms=outcome.vad_ms,
        engine_ms=outcome.engine_ms,
        total_ms=outcome.total_ms,
    )


def _links(job: Job) -> dict[str, str]:
    url = job_url(job.job_id)
    if job.erasure is not None:
        return {"self": url}
    links = {"self": url, "events": f"{url}/events"}
    if job.outcome.audio_expired_at is None:
        links["audio"] = f"{url}/audio"
    if job.outcome.transcript is not None and job.outcome.transcript_expired_at is None:
        for name in ("json", *sorted(job.outcome.artefacts)):
            links[f"transcript_{name}"] = f"{url}/transcript?format={name}"
    return links
