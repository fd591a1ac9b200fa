"""A request's body, chunk by chunk: counted, and given up when it rests or lasts too long. Called by `receive`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request

from services.ingest.problems import BAD_REQUEST, UNSUPPORTED_MEDIA, UPLOAD_TIMEOUT, Problem
from services.ingest.upload import too_large
from services.ingest.web.ports import UploadLimits

_DIGITS: Final = re.compile(r"[0-9]{1,18}")


def declared_length(request: Request) -> int | None:
    """What Content-Length says; None when it says nothing.

    Raises:
        Problem: `bad_request`: it is no length.
    """
    text = request.headers.get("content-length")
    if text is None:
        return None
    if not _DIGITS.fullmatch(text):
        raise Problem(BAD_REQUEST, "Content-Length must be a whole number of bytes", field="Content-Length")
    return int(text)


def refuse_encoded(request: Request) -> None:
    """Refuse compressed bodies: a bomb's fuse, and recordings do not need it."""
    if request.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise Problem(UNSUPPORTED_MEDIA, "send the recording without Content-Encoding", field="Content-Encoding")


async def chunks(
    request: Request, *, max_bytes: int, limits: UploadLimits, named_bytes: int | None = None
) -> AsyncIterator[bytes]:
    """The body's chunks.

    Args:
        request: Its body was not read yet.
        max_bytes: Of the whole body: the recording and what surrounds it.
        limits: For the times, and for the limit that the refusal names.
        named_bytes: The limit that it names instead.

    Raises:
        Problem: `too_large`, `bad_request` (the length was a lie), `upload_timeout`.
        ClientDisconnect: The client is gone.
    """
    declared, named = declared_length(request), named_bytes or limits.max_audio_bytes
    if declared is not None and declared > max_bytes:
        raise too_large(named)
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + limits.total_s
    stream = request.stream()
    received = 0
    waited_s = 0.0  # for the client alone: what the store takes is not its fault
    while True:
        asked_s = loop.time()
        patience_s = min(deadline_s - asked_s, limits.idle_s, limits.patience_s(received) - waited_s)
        chunk = await _next(stream, patience_s)
        waited_s += loop.time() - asked_s
        if chunk is None:
            break
        received += len(chunk)
        if received > max_bytes:
            raise too_large(named)
        yield chunk
    if declared is not None and received != declared:
        raise Problem(BAD_REQUEST, "the body is not as long as Content-Length says", field="Content-Length")


async def _next(stream: AsyncIterator[bytes], patience_s: float) -> bytes | None:
    try:
        async with asyncio.timeout(patience_s):
            return await anext(stream)
    except StopAsyncIteration:
        return None
    except TimeoutError:
        raise Problem(UPLOAD_TIMEOUT, "the upload rested, came too slowly or took too long") from None
