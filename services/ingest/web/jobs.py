"""GET /v1/jobs and /v1/jobs/{id}: what became of recordings. Mounted by `app`. Another client's job is no job."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query

from services.ingest.clients import Client
from services.ingest.fields import Moment
from services.ingest.jobs import Cursor, Job
from services.ingest.listing import Wanted
from services.ingest.problems import INVALID_FIELD, NOT_FOUND, Problem
from services.ingest.texts import storable
from services.ingest.web.answers import COMMON, documented
from services.ingest.web.auth import Reader
from services.ingest.web.models import JobDocument, JobPageDocument, State, job_document
from services.ingest.web.ports import Ports, WebPorts

MAX_PAGE: Final = 100
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_JOB_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


def _wanted(
    *,
    state: Annotated[State | None, Query(description="Only jobs in this state.")] = None,
    since: Annotated[Moment | None, Query(description="Accepted then or later; with its zone.")] = None,
    before: Annotated[Moment | None, Query(description="Accepted earlier; with its zone.")] = None,
    direction: Annotated[Literal["inbound", "outbound"] | None, Query(description="Only such calls.")] = None,
    operator: Annotated[str | None, Query(max_length=200, description="Only calls of this operator.")] = None,
    call_id: Annotated[str | None, Query(max_length=128, description="Only the call with your id.")] = None,
    chain_id: Annotated[
        str | None,
        Query(max_length=1024, description="Only the parts of this transferred call: `chain_id` of metadata."),
    ] = None,
    q: Annotated[
        str | None,
        Query(
            max_length=200,
            description="Only jobs with this text in call_id, file name, operator, number, queue or metadata.",
        ),
    ] = None,
) -> Wanted:
    return Wanted(
        state=state,
        since=None if since is None else in_range(since, "since"),
        before=None if before is None else in_range(before, "before"),
        direction=direction,
        operator=_said(operator),
        call_id=_said(call_id),
        chain_id=_said(chain_id),
        text=_said(q),
    )


def _said(text: str | None) -> str | None:
    """As it can be kept, so that what was kept is found; an empty one counts as not given."""
    return None if text is None else storable(text) or None


def in_range(moment: datetime, field: str) -> datetime:
    """What PostgreSQL can hold.

    Raises:
        Problem: `invalid_field`: it cannot.
    """
    if not _EARLIEST <= moment < _LATEST:
        raise Problem(INVALID_FIELD, "must lie between 1970 and 2200", field=field)
    return moment


def is_job_id(text: str) -> bool:
    """Whether a text has the form of a job's id."""
    return _JOB_ID.fullmatch(text) is not None


def job_of(ports: WebPorts, client: Client, job_id: str) -> Job:
    """A client's job.

    Raises:
        Problem: `not_found`: there is none, or it is another client's.
    """
    job = ports.jobs.fetch(client.client_id, job_id) if is_job_id(job_id) else None
    if job is None:
        raise Problem(NOT_FOUND, "there is no job with this id")
    return job


@router.get("", response_model=JobPageDocument, summary="List jobs", responses=documented("invalid_field", *COMMON))
def list_jobs(
    ports: Ports,
    client: Reader,
    wanted: Annotated[Wanted, Depends(_wanted)],
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Jobs on a page.")] = 20,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
) -> JobPageDocument:
    """Your jobs, newest first. Pages stay where they are while new jobs arrive."""
    found = ports.jobs.page(client.client_id, wanted, after=_cursor(cursor), limit=limit + 1)
    shown = found[:limit]
    more = Cursor(shown[-1].accepted_at, shown[-1].job_id).encode() if len(found) > limit else None
    return JobPageDocument(jobs=[job_document(job) for job in shown], next_cursor=more)


@router.get("/{job_id}", response_model=JobDocument, summary="Show a job", responses=documented("not_found", *COMMON))
def show_job(ports: Ports, client: Reader, job_id: str) -> JobDocument:
    """A job's state; why it failed; what is known of its transcript, and where that is."""
    return job_document(job_of(ports, client, job_id))


def _cursor(text: str | None) -> Cursor | None:
    if text is None:
        return None
    try:
        return Cursor.decode(text)
    except ValueError:
        raise Problem(INVALID_FIELD, "must be the next_cursor of a page", field="cursor") from None
