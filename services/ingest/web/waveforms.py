"""GET /v1/jobs/{id}/waveform: how loud each channel is over time, for a player to draw. Mounted by `app`."""

from __future__ import annotations

from functools import partial
from typing import Final

import anyio
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from pipeline.contracts import states
from services.ingest.problems import GONE, Problem
from services.ingest.web.answers import COMMON, documented
from services.ingest.web.auth import Reader
from services.ingest.web.downloads import refuse_expired
from services.ingest.web.jobs import job_of
from services.ingest.web.models import WaveformDocument
from services.ingest.web.ports import Ports

#: A long recording takes a child for seconds; those who wait for it must not take all threads.
DRAWING_AT_ONCE: Final = 2

router = APIRouter(prefix="/v1/jobs", tags=["results"])


@router.get(
    "/{job_id}/waveform",
    response_model=WaveformDocument,
    summary="Show the recording's waveform",
    responses=documented("not_found", "no_waveform", "gone", *COMMON),
)
async def waveform(request: Request, ports: Ports, client: Reader, job_id: str) -> WaveformDocument:
    """Peaks of each channel over the whole recording, at most 2,000, 0 to 10,000: what a player draws without decoding it."""
    job = await run_in_threadpool(job_of, ports, client, job_id)
    if job.outcome.state == states.ERASED:
        raise Problem(GONE, "the job was erased")
    refuse_expired(job.outcome.audio_expired_at)
    limiter: anyio.CapacityLimiter = request.app.state.drawing
    drawn = await anyio.to_thread.run_sync(partial(ports.waveforms.of, job), limiter=limiter)
    return WaveformDocument(duration_s=drawn.duration_s, channels=[list(peaks) for peaks in drawn.peaks])
