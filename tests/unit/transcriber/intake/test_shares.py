from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from pipeline.errors import Postponed
from pipeline.testing.waiting import eventually
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.fakes import FakeEngine
from services.transcriber.intake.shares import Place, Shares
from tests.unit.transcriber.intake.rig import LONG_RECORDING_S, PLACES, Worker, World


def taken(shares: Shares, count: int, priority: str, *, is_long: bool = False) -> int:
    """How many of so many calls find a place."""
    return sum(shares.take(priority, is_long=is_long) is not None for _ in range(count))


def test_places_are_kept_for_what_is_more_urgent() -> None:
    shares = Shares(20)

    assert taken(shares, 99, "bulk") == 16
    assert taken(shares, 99, "normal") == 2
    assert taken(shares, 99, "interactive") == 2


def test_an_unknown_priority_counts_as_bulk() -> None:
    assert taken(Shares(20), 99, "yesterday") == 16


def test_long_calls_leave_half_of_the_places_to_the_others() -> None:
    shares = Shares(20)

    assert taken(shares, 99, "interactive", is_long=True) == 10
    assert taken(shares, 99, "interactive") == 10


def test_what_is_given_back_is_taken_again() -> None:
    shares = Shares(10)
    taken(shares, 99, "normal", is_long=True)
    shares.give_back(Place.FOR_A_LONG_CALL)

    assert taken(shares, 99, "normal", is_long=True) == 1


@pytest.mark.parametrize("priority", ["interactive", "normal", "bulk"])
def test_one_place_is_for_any_call(priority: str) -> None:
    assert taken(Shares(1), 9, priority, is_long=True) == 1


class Held(FakeEngine):
    """Hears when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = threading.Semaphore(0)
        self.go_on = threading.Event()

    def transcribe(self, windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:
        self.inside.release()
        assert self.go_on.wait(20)
        return super().transcribe(windows, hearing)


def test_an_urgent_call_begins_beside_as_much_bulk_as_there_may_be() -> None:
    world = World()
    worker, held = Worker(world), Held()
    worker.engine.transcribe = held.transcribe  # type: ignore[method-assign]  # an engine that waits for us
    bulk = [world.upload(f"bulk-{number}", priority="bulk") for number in range(PLACES)]
    threads = [threading.Thread(target=worker.carry, args=(message,)) for message in bulk[:-2]]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert held.inside.acquire(timeout=20)
    with pytest.raises(Postponed, match="others go first"):
        worker.carry(bulk[-1])
    assert world.markers("bulk-15") == []
    urgent = threading.Thread(target=worker.carry, args=(world.upload("urgent", priority="interactive"),))
    urgent.start()

    assert held.inside.acquire(timeout=20)
    held.go_on.set()
    for thread in (*threads, urgent):
        thread.join(20)
    worker.carry(bulk[-1])
    assert len(world.published()) == 2 * PLACES


def test_a_short_call_begins_beside_as_many_long_ones_as_there_may_be() -> None:
    world = World()
    worker, held = Worker(world), Held()
    worker.engine.transcribe = held.transcribe  # type: ignore[method-assign]  # an engine that waits for us
    long = [world.upload(f"long-{number}", duration_s=2 * LONG_RECORDING_S) for number in range(PLACES // 2 + 1)]
    threads = [threading.Thread(target=worker.carry, args=(message,)) for message in long[:-1]]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert held.inside.acquire(timeout=20)
    with pytest.raises(Postponed, match="others go first"):
        worker.carry(long[-1])
    held.go_on.set()
    worker.carry(world.upload("short"))

    eventually(lambda: "short ready" in world.published())
    for thread in threads:
        thread.join(20)
