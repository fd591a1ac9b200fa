"""The janitor: sweeps orphans, prefixes of the store whose job nobody ever accepted.

An orphan is left by an ingest that was killed between putting a recording and committing its job. Called by `__main__` in
a thread of its own and by `admin` for an operator. Reads the store and asks `ports.KnownJobs`; age is told by the store's
own clock alone. Nothing is deleted before it is fenced: from then on no ingest may accept the job any more, and every
acceptance that had begun before has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from typing import Final, TypeAlias

from pipeline.blobs.ports import BlobInfo, BlobStore
from pipeline.contracts import layout
from pipeline.errors import RazgovorError, Transient
from pipeline.telemetry import families, logs
from pipeline.telemetry.metrics import Metrics
from services.ledger.ports import JobsTurn, KnownJobs

Stop: TypeAlias = Callable[[], bool]
#: Job ids asked for at a time.
BATCH: Final = 500
_FIRST_SWEEP_S: Final = 60.0


class TooManyOrphans(RazgovorError):
    """So many that the fault may be the database's: one restored from an older backup knows fewer jobs than there are."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found.

    Attributes:
        jobs: Prefixes that were old enough to be asked for.
        orphans: Ids of those that were swept, or would be.
        objects: Objects deleted.
        uploads: Uploads that were given up.
    """

    jobs: int = 0
    orphans: tuple[str, ...] = ()
    objects: int = 0
    uploads: int = 0


class Janitor:
    """Sweeps a store.

    Args:
        store: What is swept.
        known: Who knows which jobs there are.
        older_than: What is younger is left alone: it may be on its way. Longer than any upload may take.
        metrics: What is counted with.
    """

    def __init__(self, store: BlobStore, known: KnownJobs, older_than: timedelta, metrics: Metrics) -> None:
        self._store = store
        self._known = known
        self._older_than = older_than
        self._metrics = metrics
        self._log = logs.get(__name__)

    def run(self, stop: threading.Event, every_s: float, most: int) -> None:
        """Sweep now and then, until told to stop; what fails is logged and done again the next time."""
        self._metrics.start_at_zero(families.ORPHANS)
        pause_s = min(_FIRST_SWEEP_S, every_s)
        while not stop.wait(pause_s):
            pause_s = every_s
            try:
                swept = self.sweep(most=most, stop=stop.is_set)
            except RazgovorError as error:
                self._metrics.add(families.SWEEPS, outcome="failed")
                self._log.warning("sweep_failed", error=str(error))
                continue
            if swept is not None:
                found = len(swept.orphans)
                self._log.info("swept", jobs=swept.jobs, orphans=found, objects=swept.objects, uploads=swept.uploads)

    def sweep(self, *, dry_run: bool = False, most: int | None = None, stop: Stop = lambda: False) -> Swept | None:
        """Look through the whole store once.

        Args:
            dry_run: Delete nothing, only tell.
            most: Where more orphans than this are found, delete nothing; None: however many.
            stop: Asked now and then; the sweep ends early once it is true.

        Returns:
            None if another one sweeps.

        Raises:
            TooManyOrphans: More than `most`; nothing was deleted.
            Transient: Store or database do not answer; some orphans may be swept.
            Fatal: They refuse us.
        """
        with self._known.turn() as turn:
            if turn is None:
                return None
            swept = self._swept(turn, self._bound(), dry_run=dry_run, most=most, stop=stop)
        self._metrics.add(families.SWEEPS, outcome="done")
        return swept

    def _bound(self) -> datetime:
        """What came to be after this is left alone: by the store's clock, for ours may say anything."""
        self._store.put(layout.JANITOR_KEY, b"", media_type="text/plain")
        marker = self._store.stat(layout.JANITOR_KEY)
        if marker is None or marker.modified_at > datetime.max.replace(tzinfo=UTC) - timedelta(days=1):
            raise Transient("the store does not say when objects came to be")
        return marker.modified_at - self._older_than

    def _swept(self, turn: JobsTurn, bound: datetime, *, dry_run: bool, most: int | None, stop: Stop) -> Swept:
        jobs, found = self._found(turn, bound, stop)
        if dry_run:
            return Swept(jobs, tuple(found))
        if most is not None and len(found) > most:
            raise TooManyOrphans(f"{len(found)} orphans where at most {most} are swept unasked")
        orphans: list[str] = []
        objects = 0
        for batch in _batches(found):
            if stop():
                break
            turn.fence(batch)
            unknown = _unknown(turn, batch)  # without those that were accepted at the last moment
            objects += sum(self._delete(job_id) for job_id in unknown)
            orphans += unknown
            self._metrics.add(families.ORPHANS, len(unknown))
        return Swept(jobs, tuple(orphans), objects, self._store.discard_uploads(bound))

    def _found(self, turn: JobsTurn, bound: datetime, stop: Stop) -> tuple[int, list[str]]:
        jobs = 0
        found: list[str] = []
        for batch in _batches(_old_jobs(self._store.list(layout.JOBS_PREFIX), bound)):
            if stop():
                break
            jobs += len(batch)
            found += _unknown(turn, batch)
        return jobs, found

    def _delete(self, job_id: str) -> int:
        keys = [found.key for found in self._store.list(layout.job_prefix(job_id))]
        for key in keys:
            self._store.delete(key)
        return len(keys)


def _old_jobs(objects: Iterable[BlobInfo], bound: datetime) -> Iterator[str]:
    """Jobs of which no object is younger than the bound. The objects come by key, so a job's are side by side."""
    for job_id, of_job in groupby(objects, key=lambda found: layout.job_of(found.key)):
        youngest = max(found.modified_at for found in of_job)
        if job_id is not None and youngest <= bound:
            yield job_id


def _batches(job_ids: Iterable[str]) -> Iterator[list[str]]:
    left = iter(job_ids)
    while batch := list(islice(left, BATCH)):
        yield batch


def _unknown(turn: JobsTurn, job_ids: Collection[str]) -> list[str]:
    known = turn.known(job_ids)
    return [job_id for job_id in job_ids if job_id not in known]
