"""A client of ingest's REST interface, as any program of a customer's would be. Used by `transcription` and `demo`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict

from pipeline.contracts import states
from pipeline.errors import RazgovorError

_TIMEOUT_S: Final = 60.0
_CHUNK_BYTES: Final = 1 << 16


class Refused(RazgovorError):
    """Ingest did not take a request.

    Attributes:
        code: The problem's stable code.
        detail: What it says of itself.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class _Shown(BaseModel):
    """Part of an answer; fields of a newer release are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Reason(_Shown):
    """Why a job failed."""

    code: str
    text: str
    details: dict[str, str] = {}


class JobResult(_Shown):
    """What a completed job found."""

    channel_mode: str | None = None
    channels: int | None = None
    duration_ms: int | None = None
    speech_ms: int | None = None
    words: int | None = None
    confidence: float | None = None
    warnings: tuple[str, ...] = ()


class JobTimings(_Shown):
    """What a finished job's time went to."""

    queue_wait_ms: int | None = None
    decode_ms: int | None = None
    vad_ms: int | None = None
    engine_ms: int | None = None
    total_ms: int | None = None


class Job(_Shown):
    """A job as ingest shows it."""

    job_id: str
    state: str
    accepted_at: AwareDatetime
    reason: Reason | None = None
    result: JobResult | None = None
    timings: JobTimings | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in states.TERMINAL


@dataclass(frozen=True, slots=True)
class IngestClient:
    """One connection pool; also a context manager."""

    http: httpx.Client

    @classmethod
    def connect(cls, url: str, key: str) -> Self:
        """A client of the service at `url` with an API key."""
        return cls(httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=_TIMEOUT_S))

    def submit(self, recording: Path, fields: Mapping[str, str]) -> str:
        """Upload a recording; the job's id.

        Raises:
            Refused: Ingest did not take it.
        """
        with recording.open("rb") as stream:
            answer = self.http.post("/v1/jobs", data=dict(fields), files={"file": (recording.name, stream)})
        return str(_accepted(answer).json()["job_id"])

    def job(self, job_id: str) -> Job:
        """The job as it stands.

        Raises:
            Refused: There is none of ours.
        """
        return Job.model_validate(_accepted(self.http.get(f"/v1/jobs/{job_id}")).json())

    def transcript(self, job_id: str, artefact_format: str) -> bytes:
        """The transcript in a format.

        Raises:
            Refused: The job is not finished, or has none in it.
        """
        return _accepted(self.http.get(f"/v1/jobs/{job_id}/transcript", params={"format": artefact_format})).content

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.http.close()


def _accepted(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    if "json" not in answer.headers.get("content-type", ""):
        raise Refused(f"http_{answer.status_code}", answer.reason_phrase)
    problem = answer.json()
    raise Refused(str(problem.get("code", f"http_{answer.status_code}")), str(problem.get("detail", "")))
