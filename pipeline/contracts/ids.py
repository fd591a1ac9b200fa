"""Ids that are the same whenever they are made again. These formats are dedup keys: never change them."""

from __future__ import annotations

import uuid

_EVENTS = uuid.UUID("5e0f5b1c-6f6e-5d3a-9d5e-3a8d2b7c4f10")


def event_id(job_id: str, run: int, kind: str) -> str:
    """Id of an event: uuid5 of (job_id, run, kind), so an event announced again is known as the same one.

    Args:
        job_id: The job's id.
        run: The job's run, from 1.
        kind: The event's topic, and for job.status its state: `job.status:completed`.
    """
    return str(uuid.uuid5(_EVENTS, f"{job_id}/{run}/{kind}"))
