"""Which calls transcribers have in their hands, read from the store as they read it: by transcripts and start markers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pipeline.blobs.ports import BlobStore
from pipeline.contracts import layout
from services.transcriber.domain.starts import Starts, starts_in

_FIRST_RUN: Final = 1


def in_hands(store: BlobStore, job_ids: Iterable[str]) -> list[str]:
    """Those of these jobs whose first run was begun on, and neither heard nor let go of.

    A transcriber that died leaves what one leaves that works: its call is named until another has heard it. What waits in
    a topic is in nobody's hands, and no crash is held against it.

    Args:
        store: Where markers and transcripts lie; one listing a job.
        job_ids: The jobs.
    """
    return [job_id for job_id in job_ids if _is_in_hands(names_of(store, job_id, _FIRST_RUN))]


def starts_of(store: BlobStore, job_id: str) -> Starts:
    """The starts on a job's first run."""
    return starts_in(names_of(store, job_id, _FIRST_RUN))


def names_of(store: BlobStore, job_id: str, run: int) -> list[str]:
    """What lies under the run's prefix, by name."""
    prefix = layout.run_prefix(job_id, run)
    return [blob.key.removeprefix(prefix) for blob in store.list(prefix)]


def is_transcribed(names: Iterable[str]) -> bool:
    """Whether a transcript is among what lies under a run's prefix."""
    return any(name.rpartition("/")[2] == layout.TRANSCRIPT_NAME for name in names)


def _is_in_hands(names: list[str]) -> bool:
    return bool(starts_in(names).unreleased) and not is_transcribed(names)
