"""POST /v1/jobs: takes a recording. Mounted by `app`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from typing import Any, Final

import anyio
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from services.ingest import acceptance
from services.ingest.clients import Client
from services.ingest.fields import CallFields, parse_fields
from services.ingest.problems import INVALID_FIELD, Problem
from services.ingest.submissions import Accepted
from services.ingest.upload import Upload
from services.ingest.web import body, receive, references
from services.ingest.web.answers import COMMON, documented
from services.ingest.web.auth import Submitter
from services.ingest.web.models import AcceptedDocument, job_url
from services.ingest.web.ports import Ports, WebPorts

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
#: Uploads that are being accepted at once: they wait for the probe and the database, and must not take all threads.
ACCEPTING_AT_ONCE: Final = 8
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")

router = APIRouter()


def _field_schema() -> dict[str, dict[str, Any]]:
    examples = {
        "call_id": "pbx-2026-000184",
        "started_at": "2026-01-31T14:05:00+03:00",
        "direction": "inbound",
        "operator": "Анна К.",
        "customer_number": "+7 900 000-00-00",
        "queue": "support",
        "metadata": '{"campaign": "winter"}',
        "channels": "operator,customer",
        "language": "ru",
        "locale": "ru",
        "formats": "txt,vtt,xlsx",
        "priority": "normal",
    }
    return {
        name: {"type": "string", "description": field.description}
        | ({"example": examples[name]} if name in examples else {})
        for name, field in CallFields.model_fields.items()
    }


FIELDS: Final = _field_schema()
REFERENCE: Final[dict[str, dict[str, Any]]] = {
    "audio_url": {
        "type": "string",
        "maxLength": 2000,
        "description": "Where the recording lies: s3://bucket/key, which your client may name, or https://...",
        "example": "s3://acme-calls/2026/01/31/000184.wav",
    },
    "sha256": {"type": "string", "description": "Hexadecimal digest of its bytes; another recording is refused."},
    "file_name": {"type": "string", "description": "What it is called. Default: the end of its address."},
}
_BINARY: Final = {"type": "string", "format": "binary"}
IDEMPOTENCY_PARAMETER: Final[dict[str, Any]] = {
    "name": IDEMPOTENCY_KEY,
    "in": "header",
    "required": False,
    "description": "Repeat a request with the same key, and you get the same job instead of another one.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
_OPENAPI: Final[dict[str, Any]] = {
    "parameters": [
        IDEMPOTENCY_PARAMETER,
        {
            "name": receive.FILE_NAME,
            "in": "query",
            "required": False,
            "description": "Of a raw body: what the recording is called.",
            "schema": {"type": "string"},
        },
        *(
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": f"Of a raw body. {schema['description']}",
                "schema": {"type": "string"},
            }
            for name, schema in FIELDS.items()
        ),
    ],
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {**FIELDS, "file": {**_BINARY, "description": "The recording."}},
                }
            },
            "application/octet-stream": {"schema": _BINARY},
            references.MEDIA_TYPE: {
                "schema": {"type": "object", "required": ["audio_url"], "properties": {**REFERENCE, **FIELDS}}
            },
        },
    },
}


@router.post(
    "/v1/jobs",
    status_code=202,
    response_model=AcceptedDocument,
    summary="Submit a recording",
    tags=["jobs"],
    openapi_extra=_OPENAPI,
    responses=documented(
        "empty_file",
        "bad_multipart",
        "bad_request",
        "upload_timeout",
        "too_large",
        "unsupported_media",
        "invalid_field",
        "idempotency_mismatch",
        "quota_exceeded",
        "url_not_allowed",
        "source_failed",
        "source_mismatch",
        *COMMON,
    ),
)
async def submit(request: Request, response: Response, ports: Ports, client: Submitter) -> AcceptedDocument:
    """Send the recording as the part `file` of a multipart form, with the fields as further parts; or as the raw body,
    with the fields in the query. WAV, FLAC, OGG, MP3, MP4, AAC and AMR are taken; the bytes decide, not name or type.
    G.711 samples without a header are taken with `codec`, `sample_rate_hz` and `channel_count`, in a form before the file.

    Or send JSON with `audio_url` and the fields: the recording is fetched before the answer.

    202 means that the job will not be lost. Its state is at the address in `Location`.
    """
    key = idempotency_key(request)
    body.refuse_encoded(request)
    if references.is_document(request):
        named = references.parse(await references.receive(request, ports.limits), ports.languages)
        return _answer(response, await references.accept(ports, client, named, key))
    return _answer(response, await _upload(request, ports, client, key))


async def _upload(request: Request, ports: WebPorts, client: Client, key: str | None) -> Accepted:
    upload = ports.new_upload()
    try:
        fields, file_name, tail = await _receive(request, upload, ports)
        wanted = acceptance.Request(
            client=client, fields=fields, file_name=file_name, idempotency_key=key, languages=ports.languages
        )
        return await accept(request, ports, upload, tail, wanted)
    finally:
        if upload.begun:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(upload.close)


def _answer(response: Response, accepted: Accepted) -> AcceptedDocument:
    response.headers["Location"] = job_url(accepted.job_id)
    return AcceptedDocument.of(accepted)


def idempotency_key(request: Request) -> str | None:
    """The caller's key, if there is one.

    Raises:
        Problem: `invalid_field`.
    """
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is not None and not _KEY.fullmatch(key):
        raise Problem(INVALID_FIELD, "must be 1 to 255 visible ASCII characters", field=IDEMPOTENCY_KEY)
    return key


async def _receive(request: Request, upload: Upload, ports: WebPorts) -> tuple[CallFields, str | None, bytes]:
    if receive.is_form(request):
        received = await receive.receive_form(request, upload, ports.limits, partial(_declare, upload, ports))
        fields, file_name = _checked(received.fields, received.file_name, ports)
        if fields.headerless != upload.headerless:
            raise Problem(
                INVALID_FIELD, "what describes a recording without a header must come before it", field="codec"
            )
        return fields, file_name, received.tail
    # A raw upload's fields are known before its first byte: refuse early.
    checked = _checked(receive.query_fields(request), None, ports)
    upload.declare(checked[0].headerless)
    return *checked, await receive.receive_raw(request, upload, ports.limits)


def _declare(upload: Upload, ports: WebPorts, before_file: Mapping[str, str]) -> None:
    upload.declare(_checked(before_file, None, ports)[0].headerless)


def _checked(texts: Mapping[str, str], file_name: str | None, ports: WebPorts) -> tuple[CallFields, str | None]:
    fields = {name: text for name, text in texts.items() if name != receive.FILE_NAME}
    return parse_fields(fields, ports.languages), texts.get(receive.FILE_NAME, file_name)


async def accept(
    request: Request, ports: WebPorts, upload: Upload, tail: bytes, wanted: acceptance.Request
) -> Accepted:
    """Accept an upload whose last bytes are these, in a thread of those that do."""

    def work() -> Accepted:
        with closing(upload):
            upload.write(tail)
            upload.finish()
            return ports.acceptance.accept(upload, wanted)

    limiter: anyio.CapacityLimiter = request.app.state.accepting
    # Shielded by not being abandoned: once begun, an acceptance ends one way or the other.
    return await anyio.to_thread.run_sync(work, limiter=limiter)
