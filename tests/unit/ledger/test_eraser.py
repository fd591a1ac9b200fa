"""What the eraser deletes, when it looks again, and what it says it did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts import layout
from pipeline.errors import Transient
from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics
from services.ledger.adapters.memory_erasures import MemoryErasures
from services.ledger.eraser import BATCH, WATCHED, Eraser, pause_after

START = datetime(2026, 1, 1, tzinfo=UTC)


class SickStore(MemoryStore):
    broken = False

    def delete(self, key: str) -> None:
        if self.broken:
            raise Transient("store: 500")
        super().delete(key)


class World:
    def __init__(self) -> None:
        self.now = START
        self.store = SickStore()
        self.erasures = MemoryErasures(lambda: self.now)
        self.metrics = Metrics()
        self.eraser = Eraser(self.store, self.erasures, self.metrics)

    def put(self, *keys: str) -> None:
        for key in keys:
            self.store.put(key, b"x", media_type="text/plain")

    def later(self, pause: timedelta) -> int:
        self.now += pause
        return self.eraser.step()


JOB = (
    layout.audio_key("a"),
    layout.call_info_key("a"),
    layout.transcript_key("a", 1, "ab"),
    layout.artefact_key("a", 1, "ab", "txt"),
    layout.start_key("a", 1, 1),
)
MARKER = layout.called_off_key("a", 1)


def test_all_of_the_job_goes_at_once_but_the_marker_that_calls_it_off() -> None:
    world = World()
    world.put(*JOB, MARKER, layout.audio_key("ab"), layout.audio_key("b"))
    world.erasures.order("a")
    assert world.eraser.step() == 1
    assert sorted(world.store.objects) == sorted([MARKER, layout.audio_key("ab"), layout.audio_key("b")])
    row = world.erasures.rows["a"]
    assert (row.objects, row.sweeps, row.erased_at) == (len(JOB), 1, START)
    assert world.metrics.value(families.ERASED_OBJECTS) == len(JOB)
    assert world.eraser.step() == 0


def test_what_comes_late_goes_too_for_a_day_and_then_the_marker() -> None:
    world = World()
    world.put(*JOB, MARKER)
    world.erasures.order("a")
    world.eraser.step()
    late = layout.transcript_key("a", 1, "cd")
    looks = 1
    while world.now < START + WATCHED:
        world.put(late)
        assert world.later(pause_after(looks - 1)) == 1
        looks += 1
        assert list(world.store.objects) in ([MARKER], [])
    assert looks > 20
    assert world.store.objects == {}
    assert world.erasures.rows["a"].closed
    assert world.later(timedelta(days=30)) == 0
    assert world.erasures.rows["a"].erased_at == START


def test_looks_become_rarer() -> None:
    pauses = [pause_after(sweeps).total_seconds() for sweeps in range(8)]
    assert pauses == [5, 20, 80, 320, 1280, 3600, 3600, 3600]
    assert pause_after(10**6).total_seconds() == 3600


def test_while_the_store_is_away_nothing_is_said_to_be_erased() -> None:
    world = World()
    world.put(*JOB)
    world.erasures.order("a")
    world.store.broken = True
    with pytest.raises(Transient):
        world.eraser.step()
    assert world.erasures.rows["a"].erased_at is None
    world.store.broken = False
    assert world.eraser.step() == 0  # it is still claimed
    assert world.later(timedelta(minutes=1)) == 1
    assert world.store.objects == {}


def test_many_go_batch_by_batch() -> None:
    world = World()
    for number in range(BATCH + 1):
        world.put(layout.audio_key(str(number)))
        world.erasures.order(str(number))
    assert [world.eraser.step() for _ in range(3)] == [BATCH, 1, 0]
    assert world.store.objects == {}
