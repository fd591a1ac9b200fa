"""POST /v1/jobs/batch: many recordings in one request, a job each. Mounted by `app`.

A form's files are taken one after another as they stream, a list of references one after another as they are fetched. Each
has its own answer: one that is refused holds up no other. What was accepted stays, however the request ends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from pipeline.errors import Transient
from services.ingest import acceptance
from services.ingest.clients import Client
from services.ingest.fields import CallFields, parse_fields
from services.ingest.problems import BAD_MULTIPART, INVALID_FIELD, UPLOAD_TIMEOUT, Problem
from services.ingest.submissions import Accepted
from services.ingest.upload import Upload
from services.ingest.web import body, receive, references
from services.ingest.web import problems as web_problems
from services.ingest.web.answers import COMMON, documented
from services.ingest.web.auth import Submitter
from services.ingest.web.batch_documents import BatchDocument, BatchItemDocument
from services.ingest.web.models import AcceptedDocument, ProblemDocument
from services.ingest.web.multipart import BatchReader, FileBegan, FileEnded, FilePiece
from services.ingest.web.ports import Ports, UploadLimits, WebPorts
from services.ingest.web.submit import FIELDS, IDEMPOTENCY_PARAMETER, REFERENCE, accept, idempotency_key

#: Of a list of references.
MAX_DOCUMENT_BYTES: Final = 4 * 2**20
_OPENAPI: Final[dict[str, Any]] = {
    "parameters": [IDEMPOTENCY_PARAMETER],
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        **FIELDS,
                        "file": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                            "description": "The recordings, each a part named file.",
                        },
                    },
                }
            },
            references.MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["jobs"],
                    "properties": {
                        "jobs": {
                            "type": "array",
                            "minItems": 1,
                            "items": {
                                "type": "object",
                                "required": ["audio_url"],
                                "properties": {**REFERENCE, **FIELDS},
                            },
                        }
                    },
                }
            },
        },
    },
}

router = APIRouter()


@router.post(
    "/v1/jobs/batch",
    response_model=BatchDocument,
    summary="Submit many recordings",
    tags=["jobs"],
    openapi_extra=_OPENAPI,
    responses=documented(
        "bad_multipart", "bad_request", "upload_timeout", "too_large", "unsupported_media", "invalid_field", *COMMON
    ),
)
async def submit_many(request: Request, ports: Ports, client: Submitter) -> BatchDocument:
    """Send recordings as parts `file` of a multipart form. Fields before the first file go for all of them (but `call_id`,
    which goes for that file), fields between two files for the second one alone. Or send JSON: `jobs`, a list of what you
    would send as JSON to submit one.

    Each has its own item in the answer, in the order that they were sent: its job or its problem. With an
    `Idempotency-Key` the same request sent again gives the same jobs, and takes what was refused before.
    """
    key = idempotency_key(request)
    body.refuse_encoded(request)
    batch = _Batch(request, ports, client, key)
    if references.is_document(request):
        await _take_references(request, batch)
    elif receive.is_form(request):
        await _take_form(request, batch)
    else:
        raise Problem(BAD_MULTIPART, "send a multipart form with parts named file, or JSON with a list of jobs")
    return batch.document()


class _Batch:
    """What has become of a batch so far."""

    def __init__(self, request: Request, ports: WebPorts, client: Client, key: str | None) -> None:
        self.request = request
        self.ports = ports
        self.client = client
        self._key = key
        self._items: list[BatchItemDocument] = []
        self._stopped: Problem | None = None

    @property
    def begun(self) -> bool:
        """Whether there is an answer to any recording."""
        return bool(self._items)

    def key(self) -> str | None:
        """The idempotency key of the next recording. No caller's own key holds a blank."""
        return None if self._key is None else f"{self._key} {len(self._items)}"

    def stop(self, problem: Problem) -> None:
        """Say that the rest could not be read."""
        self._stopped = problem

    @asynccontextmanager
    async def item(self, file_name: str | None) -> AsyncIterator[list[Accepted]]:
        """Answer one recording: what the block puts into the list, or what it raises."""
        accepted: list[Accepted] = []
        problem: Problem | None = None
        try:
            yield accepted
        except Problem as error:
            problem = error
        except Transient as error:
            problem = web_problems.unavailable(error)
        job = accepted[0] if accepted and problem is None else None
        self._items.append(
            BatchItemDocument(
                index=len(self._items),
                file_name=file_name,
                job=None if job is None else AcceptedDocument.of(job),
                problem=None if problem is None else self._problem(problem),
            )
        )

    def document(self) -> BatchDocument:
        """The answer."""
        accepted = sum(item.job is not None for item in self._items)
        return BatchDocument(
            accepted=accepted,
            refused=len(self._items) - accepted,
            items=self._items,
            stopped=None if self._stopped is None else self._problem(self._stopped),
        )

    def _problem(self, problem: Problem) -> ProblemDocument:
        request_id = web_problems.request_id_of(self.request)
        return ProblemDocument.model_validate(web_problems.document(problem, request_id))


async def _take_references(request: Request, batch: _Batch) -> None:
    document = await references.receive(request, batch.ports.limits, MAX_DOCUMENT_BYTES)
    wanted = document.get("jobs") if isinstance(document, dict) and document.keys() == {"jobs"} else None
    most = batch.ports.limits.max_batch_files
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= most:
        raise Problem(INVALID_FIELD, f"must be a list of 1 to {most} recordings, and nothing else", field="jobs")
    until_s = anyio.current_time() + batch.ports.limits.total_s
    for one in wanted:
        if anyio.current_time() > until_s:
            batch.stop(Problem(UPLOAD_TIMEOUT, "fetching them took too long: send the rest again"))
            return
        async with batch.item(None) as accepted:
            named = references.parse(one, batch.ports.languages)
            accepted.append(await references.accept(batch.ports, batch.client, named, batch.key()))


async def _take_form(request: Request, batch: _Batch) -> None:
    pieces = _pieces(request, batch.ports.limits)
    try:
        async for piece in pieces:
            if isinstance(piece, FileBegan):
                async with batch.item(piece.file_name) as accepted:
                    accepted.append(await _take_file(batch, piece, pieces))
    except _Unreadable as unreadable:
        if not batch.begun:
            raise unreadable.problem from None
        batch.stop(unreadable.problem)
        return
    if not batch.begun:
        raise Problem(INVALID_FIELD, "the form needs a part named file for each recording", field="file")


class _Unreadable(Exception):
    """The form cannot be read any further: no answer to the recording that was under way, but to the request."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.kind.code)
        self.problem = problem


async def _pieces(request: Request, limits: UploadLimits) -> AsyncIterator[FilePiece]:
    most = limits.max_batch_bytes + receive.FORM_OVERHEAD_BYTES
    try:
        form = BatchReader(request.headers["content-type"], limits.max_batch_files)
        async for chunk in body.chunks(request, max_bytes=most, limits=limits, named_bytes=limits.max_batch_bytes):
            for piece in form.feed(chunk):
                yield piece
        form.finish()
    except Problem as problem:
        raise _Unreadable(problem) from None


async def _take_file(batch: _Batch, began: FileBegan, pieces: AsyncIterator[FilePiece]) -> Accepted:
    """Take the recording whose bytes come now; what is refused is read to its end, because others follow."""
    ports = batch.ports
    upload = ports.new_upload()
    problem: Problem | Transient | None = None
    pending = bytearray()
    try:
        try:
            fields = parse_fields(began.fields, ports.languages)
            upload.declare(fields.headerless)
        except Problem as error:
            fields, problem = CallFields(), error
        async for piece in pieces:
            if isinstance(piece, FileEnded):
                break
            if problem is None and isinstance(piece, bytes):
                pending += piece
                problem = await _flush(upload, pending)
        if problem is not None:
            raise problem
        wanted = acceptance.Request(
            client=batch.client,
            fields=fields,
            file_name=began.file_name,
            idempotency_key=batch.key(),
            languages=ports.languages,
        )
        return await accept(batch.request, ports, upload, bytes(pending), wanted)
    finally:
        if upload.begun:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(upload.close)


async def _flush(upload: Upload, pending: bytearray) -> Problem | Transient | None:
    if len(pending) < receive.FLUSH_BYTES:
        return None
    try:
        await run_in_threadpool(upload.write, bytes(pending))
    except (Problem, Transient) as error:
        return error
    pending.clear()
    return None
