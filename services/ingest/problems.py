"""What a request can be refused for. `web.problems` renders these as RFC 9457 problem+json.

Codes are stable; the text beside them is for people and may change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.errors import RazgovorError


@dataclass(frozen=True, slots=True)
class Kind:
    """A code with its HTTP status and short title."""

    code: str
    status: int
    title: str


EMPTY_FILE: Final = Kind("empty_file", 400, "The file is empty")
BAD_MULTIPART: Final = Kind("bad_multipart", 400, "The multipart form cannot be read")
BAD_REQUEST: Final = Kind("bad_request", 400, "The request cannot be read")
CLIENT_GONE: Final = Kind("client_gone", 400, "The client went away in the middle of its upload")
UNAUTHORIZED: Final = Kind("unauthorized", 401, "A valid API key is needed")
FORBIDDEN: Final = Kind("forbidden", 403, "The API key may not do this")
QUOTA_EXCEEDED: Final = Kind("quota_exceeded", 403, "The quota of audio is used up")
NOT_FOUND: Final = Kind("not_found", 404, "There is no such thing here")
FORMAT_NOT_MADE: Final = Kind("format_not_made", 404, "This job was not exported in this format")
NO_WAVEFORM: Final = Kind("no_waveform", 404, "This recording cannot be drawn")
METHOD_NOT_ALLOWED: Final = Kind("method_not_allowed", 405, "This address does not take this method")
UPLOAD_TIMEOUT: Final = Kind("upload_timeout", 408, "The upload took too long")
REQUEST_TIMEOUT: Final = Kind("request_timeout", 408, "The request took too long")
NOT_FINISHED: Final = Kind("not_finished", 409, "The job is not finished yet")
JOB_FAILED: Final = Kind("job_failed", 409, "The job failed")
JOB_CANCELED: Final = Kind("job_canceled", 409, "The job was canceled")
JOB_ENDED: Final = Kind("job_ended", 409, "The job has ended")
NO_WEBHOOK: Final = Kind("no_webhook", 409, "There is no webhook")
NOT_REQUEUABLE: Final = Kind("not_requeuable", 409, "The job cannot be done again")
GONE: Final = Kind("gone", 410, "It is no longer kept")
TOO_LARGE: Final = Kind("too_large", 413, "The upload is too large")
RANGE_NOT_SATISFIABLE: Final = Kind("range_not_satisfiable", 416, "There are no such bytes")
UNSUPPORTED_MEDIA: Final = Kind("unsupported_media", 415, "This is no recording that can be read")
INVALID_FIELD: Final = Kind("invalid_field", 422, "A field is not valid")
URL_NOT_ALLOWED: Final = Kind("url_not_allowed", 422, "This address is not allowed")
SOURCE_FAILED: Final = Kind("source_failed", 422, "The recording could not be fetched")
SOURCE_MISMATCH: Final = Kind("source_mismatch", 422, "Another recording lies at this address")
IDEMPOTENCY_MISMATCH: Final = Kind("idempotency_mismatch", 422, "The idempotency key was used for another request")
RATE_LIMITED: Final = Kind("rate_limited", 429, "Too many requests")
TOO_MANY_STREAMS: Final = Kind("too_many_streams", 429, "Too many event streams are open")
REPORT_UNDER_WAY: Final = Kind("report_under_way", 429, "A report is being made")
INTERNAL_ERROR: Final = Kind("internal_error", 500, "An error of ours")
UNAVAILABLE: Final = Kind("unavailable", 503, "Try again later")

KINDS: Final[Mapping[str, Kind]] = {
    kind.code: kind
    for kind in (
        EMPTY_FILE,
        BAD_MULTIPART,
        BAD_REQUEST,
        CLIENT_GONE,
        UNAUTHORIZED,
        FORBIDDEN,
        QUOTA_EXCEEDED,
        NOT_FOUND,
        FORMAT_NOT_MADE,
        NO_WAVEFORM,
        METHOD_NOT_ALLOWED,
        UPLOAD_TIMEOUT,
        REQUEST_TIMEOUT,
        NOT_FINISHED,
        JOB_FAILED,
        JOB_CANCELED,
        JOB_ENDED,
        NO_WEBHOOK,
        NOT_REQUEUABLE,
        GONE,
        RANGE_NOT_SATISFIABLE,
        TOO_MANY_STREAMS,
        TOO_LARGE,
        UNSUPPORTED_MEDIA,
        INVALID_FIELD,
        URL_NOT_ALLOWED,
        SOURCE_FAILED,
        SOURCE_MISMATCH,
        IDEMPOTENCY_MISMATCH,
        RATE_LIMITED,
        REPORT_UNDER_WAY,
        INTERNAL_ERROR,
        UNAVAILABLE,
    )
}


class Problem(RazgovorError):
    """A request is refused.

    Attributes:
        kind: Code, status, title.
        detail: One sentence for the caller. Never what a field held.
        field: The field at fault, where there is one.
        facts: Further members of the answer: limits, what was found.
        headers: Headers that belong to the answer.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        field: str | None = None,
        facts: Mapping[str, str | int | float] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind.code)
        self.kind = kind
        self.detail = detail
        self.field = field
        self.facts: Mapping[str, str | int | float] = facts or {}
        self.headers: Mapping[str, str] = headers or {}
