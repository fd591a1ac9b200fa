"""What the janitor deletes and what it leaves, over fakes of the store and of those who know the jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from pipeline.blobs.memory import MemoryStore
from pipeline.blobs.ports import UNKNOWN_TIME
from pipeline.contracts import layout
from pipeline.errors import Transient
from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics
from pipeline.testing.waiting import eventually
from services.ledger.janitor import BATCH, Janitor, Swept, TooManyOrphans

DAY = timedelta(days=1)


class Jobs:
    """See `ports.KnownJobs`: jobs that are known, and one that another transaction is about to accept."""

    def __init__(self, *known: str) -> None:
        self.accepted = set(known)
        self.about_to_be: set[str] = set()
        self.fenced: set[str] = set()
        self.busy = False
        self.asked: list[int] = []
        self.broken = False

    @contextmanager
    def turn(self) -> Iterator[Jobs | None]:
        yield None if self.busy else self

    def known(self, job_ids: Collection[str]) -> set[str]:
        if self.broken:
            raise Transient("away")
        self.asked.append(len(job_ids))
        return self.accepted & set(job_ids)

    def fence(self, job_ids: Collection[str]) -> None:
        self.accepted |= self.about_to_be  # its transaction ends while we wait
        self.fenced |= set(job_ids) - self.accepted


class World:
    def __init__(self, *known: str) -> None:
        self.store = MemoryStore()
        self.jobs = Jobs(*known)
        self.metrics = Metrics()
        self.janitor = Janitor(self.store, self.jobs, DAY, self.metrics)

    def put(self, job_id: str, age: timedelta, name: str = "audio") -> str:
        key = f"jobs/{job_id}/{name}"
        self.store.put(key, b"x", media_type="audio/wav")
        self.store.times[key] = self.store.now - age
        return key

    def left(self) -> set[str]:
        return {key for key in self.store.objects if key != layout.JANITOR_KEY}


def test_an_old_prefix_that_nobody_knows_is_deleted_whole_and_fenced_first() -> None:
    world = World("known")
    kept = {world.put("known", 9 * DAY), world.put("young", DAY / 2)}
    world.put("orphan", 2 * DAY)
    world.put("orphan", 2 * DAY, "call.json")
    assert world.janitor.sweep() == Swept(jobs=2, orphans=("orphan",), objects=2)
    assert world.left() == kept
    assert world.jobs.fenced == {"orphan"}
    assert world.metrics.value(families.ORPHANS) == 1


def test_one_young_object_keeps_its_whole_prefix() -> None:
    world = World()
    kept = {world.put("upload", 9 * DAY), world.put("upload", timedelta(0), "call.json")}
    assert world.janitor.sweep() == Swept()
    assert world.left() == kept


def test_what_is_accepted_at_the_last_moment_stays() -> None:
    world = World()
    world.jobs.about_to_be = {"late"}
    kept = {world.put("late", 2 * DAY)}
    world.put("orphan", 2 * DAY)
    assert world.janitor.sweep() == Swept(jobs=2, orphans=("orphan",), objects=1)
    assert world.left() == kept


def test_a_dry_run_tells_the_same_and_changes_nothing() -> None:
    world = World()
    kept = {world.put("orphan", 2 * DAY)}
    world.store.uploads.append(world.store.now - 2 * DAY)
    assert world.janitor.sweep(dry_run=True) == Swept(jobs=1, orphans=("orphan",))
    assert (world.left(), world.jobs.fenced, len(world.store.uploads)) == (kept, set(), 1)


def test_uploads_that_were_left_are_given_up() -> None:
    world = World()
    world.store.uploads += [world.store.now - 2 * DAY, world.store.now]
    assert world.janitor.sweep() == Swept(uploads=1)
    assert world.store.uploads == [world.store.now]


def test_what_is_no_jobs_is_left_alone() -> None:
    world = World()
    for key in ("jobs/stray", "control/fuse-ledger", "other/job/audio"):
        world.store.put(key, b"", media_type="text/plain")
        world.store.times[key] = world.store.now - 9 * DAY
    before = world.left()
    assert world.janitor.sweep() == Swept()
    assert world.left() == before


def test_age_that_the_store_does_not_tell_is_no_age() -> None:
    world = World()
    key = world.put("orphan", DAY)
    world.store.times[key] = UNKNOWN_TIME
    assert world.janitor.sweep() == Swept()
    world.store.times[layout.JANITOR_KEY] = UNKNOWN_TIME
    with pytest.raises(Transient):
        world.janitor.sweep()


def test_of_more_orphans_than_may_be_nothing_is_deleted_unless_it_is_asked_for() -> None:
    world = World()
    kept = {world.put(f"orphan-{number}", 2 * DAY) for number in range(3)}
    with pytest.raises(TooManyOrphans):
        world.janitor.sweep(most=2)
    assert (world.left(), world.jobs.fenced) == (kept, set())
    world.janitor.sweep(most=3)
    assert world.left() == set()


def test_jobs_are_asked_for_in_batches() -> None:
    world = World()
    for number in range(BATCH + 1):
        world.put(f"known-{number:04}", 2 * DAY)
        world.jobs.accepted.add(f"known-{number:04}")
    assert world.janitor.sweep() == Swept(jobs=BATCH + 1)
    assert world.jobs.asked == [BATCH, 1]


def test_while_another_sweeps_there_is_nothing_to_do() -> None:
    world = World()
    world.jobs.busy = True
    kept = {world.put("orphan", 2 * DAY)}
    assert world.janitor.sweep() is None
    assert world.left() == kept


def test_the_thread_sweeps_again_after_a_failure_and_ends_when_told_to() -> None:
    world = World()
    world.put("orphan", 2 * DAY)
    world.jobs.broken = True
    stop = threading.Event()
    thread = threading.Thread(target=world.janitor.run, args=(stop, 0.01, 1))
    thread.start()

    def swept(outcome: str) -> Callable[[], bool]:
        return lambda: (world.metrics.value(families.SWEEPS, outcome=outcome) or 0) > 0

    eventually(swept("failed"))
    world.jobs.broken = False
    eventually(swept("done"))
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert world.left() == set()
