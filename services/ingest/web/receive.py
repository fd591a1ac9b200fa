"""Takes a recording and its fields out of a request, as a form or as the raw body. Called by `submit`.

Nothing blocks the event loop: bytes are gathered and written by threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from services.ingest.problems import EMPTY_FILE, INVALID_FIELD, Problem
from services.ingest.upload import Upload
from services.ingest.web import body
from services.ingest.web.multipart import FormReader
from services.ingest.web.ports import UploadLimits

FLUSH_BYTES: Final = 131_072
#: What may surround the recording in a form: MAX_PARTS fields of MAX_FIELD_BYTES, and their headers.
FORM_OVERHEAD_BYTES: Final = 8 * 2**20
FILE_NAME: Final = "file_name"


@dataclass(frozen=True, slots=True)
class Received:
    """What came with a recording: texts, unchecked, and its last bytes, which are not written yet."""

    tail: bytes
    fields: Mapping[str, str]
    file_name: str | None


def is_form(request: Request) -> bool:
    """Whether the body is a multipart form; anything else is the recording itself."""
    return request.headers.get("content-type", "").lower().startswith("multipart/")


def query_fields(request: Request) -> dict[str, str]:
    """The fields of a raw upload.

    Raises:
        Problem: `invalid_field`: one stands twice.
    """
    pairs = request.query_params.multi_items()
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Problem(INVALID_FIELD, "a query parameter stands twice")
    return fields


async def receive_raw(request: Request, upload: Upload, limits: UploadLimits) -> bytes:
    """Take the body as the recording.

    Returns:
        Its last bytes, which are not written yet: a small recording costs no thread before it is accepted.

    Raises:
        Problem: See `body.chunks` and `Upload`.
    """
    pending = bytearray()
    async for chunk in body.chunks(request, max_bytes=limits.max_audio_bytes, limits=limits):
        pending += chunk
        await _flush(upload, pending)
    return bytes(pending)


async def receive_form(
    request: Request, upload: Upload, limits: UploadLimits, on_file: Callable[[Mapping[str, str]], None]
) -> Received:
    """Take the form's file as the recording, its other parts as fields.

    Args:
        request: Its body was not read yet.
        upload: Where the recording goes.
        limits: What is taken.
        on_file: Told the fields that came before the file, before its first byte goes anywhere.

    Raises:
        Problem: See `body.chunks`, `FormReader` and `Upload`; and as `on_file` raises it.
    """
    form = FormReader(request.headers["content-type"])
    pending = bytearray()
    empty, told = True, False
    max_bytes = limits.max_audio_bytes + FORM_OVERHEAD_BYTES
    async for chunk in body.chunks(request, max_bytes=max_bytes, limits=limits):
        empty = empty and not chunk
        pending += form.feed(chunk)
        if form.has_file and not told:
            on_file(form.fields_before_file)
            told = True
        await _flush(upload, pending)
    if empty:
        raise Problem(EMPTY_FILE, "the request has no body")
    form.finish()
    if not form.has_file:
        raise Problem(INVALID_FIELD, "the form needs one part named file", field="file")
    return Received(bytes(pending), form.fields, form.file_name)


async def _flush(upload: Upload, pending: bytearray) -> None:
    if len(pending) >= FLUSH_BYTES:
        await run_in_threadpool(upload.write, bytes(pending))
        pending.clear()
