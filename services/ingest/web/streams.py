"""GET /v1/jobs/{id}/events: what becomes of a job, as it happens, by server-sent events. Mounted by `app`.

It follows the ledger's view, which is asked every second, so whoever reads an event and asks at once is answered the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Final

from fastapi import APIRouter, Header
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from pipeline.contracts import states
from pipeline.errors import RazgovorError
from services.ingest.clients import Client
from services.ingest.jobs import Job
from services.ingest.web.answers import COMMON, documented
from services.ingest.web.auth import Reader
from services.ingest.web.jobs import job_of
from services.ingest.web.models import ProgressDocument, known_state, reason_document
from services.ingest.web.ports import Ports, WebPorts

MEDIA_TYPE: Final = "text/event-stream"
#: A stream ends by itself after this; the browser comes again with what it saw last.
LONGEST_S: Final = 3600.0
KEEP_ALIVE_S: Final = 15.0
#: How far a job is that is on its way; one that has ended is at 1.
_PROGRESS: Final = {states.QUEUED: 0.0, states.TRANSCRIBING: 0.1, states.TRANSCRIBED: 0.9}

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


@router.get(
    "/{job_id}/events",
    response_class=Response,
    summary="Follow a job",
    responses={
        200: {
            "description": "Events `state`, each with a ProgressDocument; the stream ends with the job.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
        },
        204: {"description": "The job has ended, and `Last-Event-ID` says that you know."},
        **documented("not_found", "too_many_streams", *COMMON),
    },
)
async def follow(
    ports: Ports,
    client: Reader,
    job_id: str,
    last_event_id: Annotated[str | None, Header(max_length=100, description="The id of the last event seen.")] = None,
) -> Response:
    """What becomes of a job, by server-sent events: its state at once, then whenever it changes, until its end."""
    job = await run_in_threadpool(job_of, ports, client, job_id)
    if seen_as(job) == last_event_id and _has_ended(job):
        return Response(status_code=204)
    ports.streams.open(client.client_id)
    return EventStream(_events(ports, client, job, last_event_id), lambda: ports.streams.close(client.client_id))


class EventStream(StreamingResponse):
    """Server-sent events. Says when it is over, also when nobody ever read of it."""

    def __init__(self, events: AsyncIterator[str], on_over: Callable[[], None]) -> None:
        super().__init__(events, media_type=MEDIA_TYPE)
        self._on_over = on_over

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._on_over()


async def _events(ports: WebPorts, client: Client, job: Job, seen: str | None) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop()
    until_s, alive_s = clock.time() + LONGEST_S, clock.time()
    yield "retry: 3000\n\n"
    while True:
        if seen_as(job) != seen:
            seen, alive_s = seen_as(job), clock.time()
            yield f"event: state\nid: {seen}\ndata: {progress_of(job).model_dump_json()}\n\n"
        if _has_ended(job) or clock.time() >= until_s:
            return
        if clock.time() - alive_s >= KEEP_ALIVE_S:
            alive_s = clock.time()
            yield ": alive\n\n"
        await asyncio.sleep(ports.stream_poll_s)
        job = await _again(ports, client, job)


async def _again(ports: WebPorts, client: Client, job: Job) -> Job:
    """The job as it is now; as it was while nobody answers."""
    try:
        return await run_in_threadpool(job_of, ports, client, job.job_id)
    except RazgovorError:
        return job


def seen_as(job: Job) -> str:
    """What tells one state of a job from the next: the id of its event."""
    return f"{job.outcome.run}-{job.outcome.state}"


def _has_ended(job: Job) -> bool:
    return job.outcome.state in states.TERMINAL


def progress_of(job: Job) -> ProgressDocument:
    """How far a job is."""
    state = job.outcome.state
    return ProgressDocument(
        job_id=job.job_id,
        run=job.outcome.run,
        state=known_state(state),
        progress=1.0 if _has_ended(job) else _PROGRESS.get(state, 0.0),
        reason=reason_document(job),
    )
