"""GET /v1/jobs/{id}/transcript and /audio: a job's objects, streamed out of the store. Mounted by `app`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from email.message import Message
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from pipeline.blobs.ports import BlobNotFound, BlobStore
from pipeline.contracts import states
from services.ingest import problems
from services.ingest.jobs import Job, StoredObject
from services.ingest.problems import Problem
from services.ingest.texts import download_name
from services.ingest.web import ranges
from services.ingest.web.answers import COMMON, documented
from services.ingest.web.auth import Reader
from services.ingest.web.jobs import job_of
from services.ingest.web.models import reason_document
from services.ingest.web.ports import Ports

MEDIA_TYPES: Final = {
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_READ_BYTES: Final = 262_144
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_PARTS: Final[dict[int | str, dict[str, Any]]] = {
    206: {"description": "The part that `Range` asked for.", "content": {"*/*": _BINARY}},
    304: {"description": "`If-None-Match` names what it is: nothing new."},
}

router = APIRouter(prefix="/v1/jobs", tags=["results"])


@router.get(
    "/{job_id}/transcript",
    response_class=Response,
    summary="Download the transcript",
    responses={
        200: {
            "description": "The transcript in the format asked for.",
            "content": {media_type.partition(";")[0]: _BINARY for media_type in MEDIA_TYPES.values()},
        },
        **_PARTS,
        **documented(
            "not_found",
            "format_not_made",
            "not_finished",
            "job_failed",
            "job_canceled",
            "gone",
            "range_not_satisfiable",
            "invalid_field",
            *COMMON,
        ),
    },
)
def transcript(
    request: Request,
    ports: Ports,
    client: Reader,
    job_id: str,
    wanted: Annotated[Literal["json", "txt", "vtt", "srt", "xlsx"], Query(alias="format")] = "json",
) -> Response:
    """The transcript of a completed job: `json` is the canonical one, the others are the exports asked for."""
    job = job_of(ports, client, job_id)
    _refuse_unfinished(job)
    refuse_expired(job.outcome.transcript_expired_at)
    found = job.outcome.transcript if wanted == "json" else job.outcome.artefacts.get(wanted)
    if found is None:
        raise Problem(problems.FORMAT_NOT_MADE, f"made were: {', '.join(('json', *sorted(job.outcome.artefacts)))}")
    name = download_name(f"{job.call_id}.{wanted}", f"{job_id}.{wanted}")
    return _download(request, ports.store, found, MEDIA_TYPES[wanted], name)


@router.get(
    "/{job_id}/audio",
    response_class=Response,
    summary="Download the recording",
    responses={
        200: {"description": "The recording as it came.", "content": {"audio/*": _BINARY}},
        **_PARTS,
        **documented("not_found", "gone", "range_not_satisfiable", *COMMON),
    },
)
def audio(request: Request, ports: Ports, client: Reader, job_id: str) -> Response:
    """The recording, byte for byte as it came. `Range` gives a part of it, as a player asks for."""
    job = job_of(ports, client, job_id)
    if job.outcome.state == states.ERASED:
        raise Problem(problems.GONE, "the job was erased")
    refuse_expired(job.outcome.audio_expired_at)
    return _download(request, ports.store, job.audio, job.media_type, download_name(job.file_name, job_id))


def _refuse_unfinished(job: Job) -> None:
    state = job.outcome.state
    if state == states.COMPLETED:
        return
    if state == states.FAILED:
        reason = reason_document(job)
        raise Problem(
            problems.JOB_FAILED,
            reason.text if reason is not None else "the job failed",
            facts={"reason": reason.code} if reason is not None else {},
        )
    if state == states.CANCELED:
        raise Problem(problems.JOB_CANCELED, "the job was canceled")
    if state == states.ERASED:
        raise Problem(problems.GONE, "the job was erased")
    raise Problem(problems.NOT_FINISHED, f"the job is {state}", facts={"state": state})


def refuse_expired(expired_at: datetime | None) -> None:
    """Refuse what is kept no longer, since then.

    Raises:
        Problem: `gone`.
    """
    if expired_at is not None:
        raise Problem(problems.GONE, "it was kept as long as agreed", facts={"expired_at": expired_at.isoformat()})


def _download(request: Request, store: BlobStore, wanted: StoredObject, media_type: str, name: str) -> Response:
    etag = f'"{wanted.sha256}"'
    found = store.stat(wanted.key)
    if found is None:
        raise BlobNotFound(wanted.key)
    if ranges.is_known(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers={"ETag": etag})
    disposition = Message()
    disposition.add_header("Content-Disposition", "attachment", filename=("utf-8", "", name))
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": str(disposition["Content-Disposition"]),
        "ETag": etag,
    }
    part = ranges.wanted_part(request.headers, etag, found.size_bytes)
    if part is None:
        part = range(found.size_bytes)
    else:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{found.size_bytes}"
    return StreamingResponse(
        _stream(store, wanted.key, part),
        status_code=206 if "Content-Range" in headers else 200,
        media_type=media_type,
        headers={**headers, "Content-Length": str(len(part))},
    )


async def _stream(store: BlobStore, key: str, part: range) -> AsyncIterator[bytes]:
    context = store.open(key)
    source = await run_in_threadpool(context.__enter__)
    left = len(part)
    try:
        if part.start:
            await run_in_threadpool(source.seek, part.start)
        while left and (data := await run_in_threadpool(source.read, min(left, _READ_BYTES))):
            left -= len(data)
            yield data
    finally:
        context.__exit__(None, None, None)  # closing what was only read does not block
