"""What a client may order for a job: cancel it, have it done again, erase it. Mounted by `app`."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query

from services.ingest.problems import JOB_ENDED, NOT_FOUND, NOT_REQUEUABLE, Problem
from services.ingest.runs import CALLED_OFF, REPROCESSED, Refused
from services.ingest.stops import Ended, Stopping
from services.ingest.web.answers import COMMON, documented
from services.ingest.web.auth import Admin, By, Submitter
from services.ingest.web.jobs import is_job_id, job_of
from services.ingest.web.models import RequeuedDocument, StoppingDocument, job_url, known_state
from services.ingest.web.ports import Ports, WebPorts

_NO_JOB: Final = "there is no job with this id"

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


@router.post(
    "/{job_id}/cancel",
    status_code=202,
    response_model=StoppingDocument,
    summary="Cancel a job",
    responses=documented("not_found", "job_ended", *COMMON),
)
def cancel(ports: Ports, client: Submitter, job_id: str) -> StoppingDocument:
    """Have no more work done on a job. Best effort: a result that is there a moment earlier stands, and the job is
    `completed`. Until it is known the state is `canceling`. Asking again changes nothing.
    """
    answer = ports.stops.cancel(client.client_id, job_id) if is_job_id(job_id) else None
    if isinstance(answer, Ended):
        raise Problem(JOB_ENDED, f"the job is {answer.state}", facts={"state": answer.state})
    return _stopping(ports, answer)


@router.post(
    "/{job_id}/requeue",
    status_code=202,
    response_model=RequeuedDocument,
    summary="Have a job done again",
    responses=documented("not_found", "not_requeuable", "quota_exceeded", "invalid_field", *COMMON),
)
def requeue(
    ports: Ports,
    client: Submitter,
    by: By,
    job_id: str,
    *,
    reprocess: Annotated[bool, Query(description="Also when it completed; it may be billed again.")] = False,
) -> RequeuedDocument:
    """Start a new run of a job that failed or was canceled, from the recording on."""
    job_of(ports, client, job_id)
    allowed = CALLED_OFF | REPROCESSED if reprocess else CALLED_OFF
    answer = ports.runs.start(job_id, client_id=client.client_id, allowed=allowed, quota=client.quota, by=by)
    if isinstance(answer, Refused):
        raise Problem(NOT_REQUEUABLE, f"the job is {answer.why}", facts={"state": answer.why})
    ports.on_requeued()
    return RequeuedDocument(job_id=job_id, run=answer.run, links={"self": job_url(job_id)})


@router.delete(
    "/{job_id}",
    status_code=202,
    response_model=StoppingDocument,
    summary="Erase a job",
    responses=documented("not_found", *COMMON),
)
def erase(ports: Ports, client: Admin, by: By, job_id: str) -> StoppingDocument:
    """Delete the recording, the transcript and what you said about the call, whatever state the job is in. From now on
    nothing of it can be fetched; the receipt is `erasure` of the job. What was used stays counted, without any content.
    """
    answer = ports.stops.erase(client.client_id, job_id, by=by) if is_job_id(job_id) else None
    return _stopping(ports, answer)


def _stopping(ports: WebPorts, answer: Stopping | None) -> StoppingDocument:
    if answer is None:
        raise Problem(NOT_FOUND, _NO_JOB)
    ports.on_stopped()
    return StoppingDocument(
        job_id=answer.job_id,
        run=answer.run,
        state=known_state(answer.state),
        requested_at=answer.requested_at,
        links={"self": job_url(answer.job_id)},
    )
