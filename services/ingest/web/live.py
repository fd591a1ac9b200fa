"""GET /v1/events: what becomes of the jobs on a screen, and whether there are newer ones. Mounted by `app`.

A list shows a hundred jobs at most and names those that have not ended. They are asked for by their ids every second, so
a stream costs the same however many jobs the client has.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from pipeline.errors import RazgovorError
from services.ingest.clients import Client
from services.ingest.jobs import Job
from services.ingest.listing import ANYTHING
from services.ingest.problems import INVALID_FIELD, Problem
from services.ingest.web.answers import COMMON, documented
from services.ingest.web.auth import Reader
from services.ingest.web.jobs import MAX_PAGE, is_job_id
from services.ingest.web.ports import Ports, WebPorts
from services.ingest.web.streams import KEEP_ALIVE_S, MEDIA_TYPE, EventStream, progress_of, seen_as

LONGEST_S: Final = 600.0
_MAX_IDS: Final = MAX_PAGE * 37

router = APIRouter(prefix="/v1/events", tags=["jobs"])


@router.get(
    "",
    response_class=Response,
    summary="Follow several jobs",
    responses={
        200: {
            "description": "Events `state`, each with a ProgressDocument, and `newest` with the id of your newest job.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
        },
        **documented("invalid_field", "too_many_streams", *COMMON),
    },
)
async def follow(
    ports: Ports,
    client: Reader,
    jobs: Annotated[
        str,
        Query(max_length=_MAX_IDS, description="Ids of jobs, comma separated, at most 100; unknown ones are left out."),
    ] = "",
) -> Response:
    """The state of each job named, and the id of your newest job: at once, then whenever it changes, for ten minutes at most."""
    job_ids = [job_id for job_id in jobs.split(",") if job_id]
    if len(job_ids) > MAX_PAGE or not all(is_job_id(job_id) for job_id in job_ids):
        raise Problem(INVALID_FIELD, f"must be at most {MAX_PAGE} ids of jobs", field="jobs")
    ports.streams.open(client.client_id)
    return EventStream(events(ports, client, job_ids), lambda: ports.streams.close(client.client_id))


async def events(ports: WebPorts, client: Client, job_ids: list[str]) -> AsyncIterator[str]:
    """The stream: each change once. It ends after a while, and whoever comes again shows a key again."""
    clock = asyncio.get_running_loop()
    until_s, alive_s = clock.time() + LONGEST_S, clock.time()
    told: dict[str, str] = {}
    yield "retry: 3000\n\n"
    while clock.time() < until_s:
        for name, seen, event in await _now(ports, client, job_ids):
            if told.get(name) != seen:
                told[name], alive_s = seen, clock.time()
                yield event
        if clock.time() - alive_s >= KEEP_ALIVE_S:
            alive_s = clock.time()
            yield ": alive\n\n"
        await asyncio.sleep(ports.stream_poll_s)


async def _now(ports: WebPorts, client: Client, job_ids: list[str]) -> list[tuple[str, str, str]]:
    """For each thing that is followed: its name, how it is, and the event that says so. Nothing while nobody answers."""
    try:
        newest, jobs = await run_in_threadpool(_ask, ports, client.client_id, job_ids)
    except RazgovorError:
        return []
    found = [
        (job.job_id, seen_as(job), f"event: state\ndata: {progress_of(job).model_dump_json()}\n\n") for job in jobs
    ]
    return [*found, *(("", job.job_id, f'event: newest\ndata: {{"job_id": "{job.job_id}"}}\n\n') for job in newest)]


def _ask(ports: WebPorts, client_id: str, job_ids: list[str]) -> tuple[list[Job], list[Job]]:
    newest = ports.jobs.page(client_id, ANYTHING, after=None, limit=1)
    return newest, ports.jobs.several(client_id, job_ids) if job_ids else []
