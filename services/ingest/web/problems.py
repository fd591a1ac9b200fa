"""Every error as RFC 9457 problem+json with a stable `code` and the request's id. Registered by `app`."""

from __future__ import annotations

import json
import math
from typing import Any, Final, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from pipeline.blobs.ports import BlobNotFound
from pipeline.errors import Transient
from pipeline.telemetry import logs
from services.ingest import problems
from services.ingest.problems import Kind, Problem

MEDIA_TYPE: Final = "application/problem+json"
DEFAULT_RETRY_AFTER_S: Final = 5
_BY_STATUS: Final = {404: problems.NOT_FOUND, 405: problems.METHOD_NOT_ALLOWED}


def document(problem: Problem, request_id: str) -> dict[str, Any]:
    """The body of a problem's answer."""
    body: dict[str, Any] = {
        "type": f"urn:razgovor:problem:{problem.kind.code}",
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail,
        "code": problem.kind.code,
        "request_id": request_id,
    }
    if problem.field is not None:
        body["field"] = problem.field
    return {**body, **problem.facts}


def response(problem: Problem, request_id: str) -> Response:
    """A problem's answer."""
    text = json.dumps(document(problem, request_id), ensure_ascii=True)
    return Response(text, status_code=problem.kind.status, media_type=MEDIA_TYPE, headers=dict(problem.headers))


def request_id_of(request: Request) -> str:
    """The id that `context` gave the request."""
    return str(request.scope.get("razgovor.request_id", ""))


def register(app: FastAPI) -> None:
    """Have the application answer every error in this form."""
    for error in (Problem, Transient, RequestValidationError, HTTPException, ClientDisconnect, BlobNotFound, Exception):
        app.add_exception_handler(error, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    if isinstance(error, Transient):
        logs.get(__name__).warning("unavailable", request_id=request_id_of(request), error=str(error))
    return response(as_problem(error), request_id_of(request))


def as_problem(error: Exception) -> Problem:
    """The problem that an error amounts to."""
    match error:
        case Problem():
            return error
        case Transient():
            return unavailable(error)
        case RequestValidationError():
            return _invalid(error)
        case HTTPException():
            return _http(error)
        case ClientDisconnect():
            return Problem(problems.CLIENT_GONE, "the connection was closed before the upload was complete")
        case BlobNotFound():
            return Problem(problems.GONE, "it is no longer in the store")
        case _:
            return Problem(problems.INTERNAL_ERROR, "an error of ours; please give the request_id when you report it")


def unavailable(error: Transient) -> Problem:
    """A dependency does not answer: try again, and when."""
    after_s = max(1, math.ceil(error.retry_after_s or DEFAULT_RETRY_AFTER_S))
    return Problem(
        problems.UNAVAILABLE, "a part of the service does not answer now", headers={"Retry-After": str(after_s)}
    )


def _invalid(error: RequestValidationError) -> Problem:
    fault = error.errors()[0]
    # The first of the places is the part of the request; behind the field's stand our own types.
    field = str(fault["loc"][:2][-1])[:64]
    return Problem(problems.INVALID_FIELD, str(fault["msg"]).removeprefix("Value error, "), field=field)


def _http(error: HTTPException) -> Problem:
    kind = _BY_STATUS.get(error.status_code) or Kind(
        problems.BAD_REQUEST.code, error.status_code, problems.BAD_REQUEST.title
    )
    details = {404: "there is nothing at this address", 405: "this address does not take this method"}
    headers = cast("dict[str, str]", dict(error.headers or {}))
    return Problem(kind, details.get(error.status_code, kind.title), headers=headers)
