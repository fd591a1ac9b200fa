"""Ids that are the same whenever they are made again. These formats are dedup keys: never change them."""

from __future__ import annotations

import uuid

_EVENTS = uuid.UUID("5e0f5b1c-6f6e-5d3a-9d5e-3a8d2b7c4f10")
_JOBS = uuid.UUID("8c0a6a0e-2f57-5b0c-9f0d-6f2f0a3f4d61")


def job_of_event(client_id: str, event_id: str) -> str:
    """Id of the job that an upstream system's event asks for: the same event sent again is the same job.

    Args:
        client_id: Whose call it is.
        event_id: The upstream system's own id of the event.
    """
    return str(uuid.uuid5(uuid.uuid5(_JOBS, client_id), event_id))


def event_id(job_id: str, run: int, kind: str) -> str:
    """Id of an event: uuid5 of (job_id, run, kind), so an event announced again is known as the same one.

    Args:
        job_id: The job's id.
        run: The job's run, from 1.
        kind: The event's topic, and for job.status its state: `job.status:completed`.
    """
    return str(uuid.uuid5(_EVENTS, f"{job_id}/{run}/{kind}"))
