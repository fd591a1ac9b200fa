"""Objects that belong to no job: left by uploads that broke, swept by the ledger's janitor, counted here."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Final

from pipeline.blobs.ports import BlobInfo, BlobStore
from razgovor.chaos.adapters.record import Record

#: Orphans are swept this long after the last upload that broke, at the latest (see `system.SHORTENED`).
SWEPT_WITHIN_S: Final = 90.0
_LOOK_EVERY_S: Final = 2.0
_JOBS: Final = "jobs/"


class Orphans:
    """Looks for orphans.

    Args:
        store: Where objects lie.
        record: Which jobs there are.
    """

    def __init__(self, store: BlobStore, record: Record) -> None:
        self._store = store
        self._record = record

    def wait_swept(self, timeout_s: float) -> list[float]:
        """Wait until there are none.

        Returns:
            When the last object of each orphan that is left was written, seconds since the epoch.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            left = without_job(self._store.list(_JOBS), self._record.known_jobs())
            if not left or time.monotonic() > deadline_s:
                return list(left.values())
            time.sleep(_LOOK_EVERY_S)


def without_job(objects: Iterable[BlobInfo], known: frozenset[str]) -> Mapping[str, float]:
    """When the last object of each unknown job was written, by the job's id.

    Args:
        objects: All below `jobs/`.
        known: The ids of all jobs.
    """
    found: dict[str, float] = {}
    for one in objects:
        job_id = one.key.removeprefix(_JOBS).partition("/")[0]
        if job_id not in known:
            found[job_id] = max(found.get(job_id, 0.0), one.modified_at.timestamp())
    return found
