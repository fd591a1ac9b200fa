"""Calls that another worker may be working on."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from pipeline.contracts import layout
from pipeline.errors import Postponed
from pipeline.testing.waiting import eventually
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.fakes import FakeEngine
from tests.unit.transcriber.intake.rig import TAKEOVER_AFTER_S, Worker, World, begun_elsewhere


def test_what_another_may_be_working_on_is_left_for_last_until_nobody_gives_a_sign_of_life() -> None:
    world = World()
    worker = Worker(world)
    message = world.upload("a")
    begun_elsewhere(world, "a", 1)

    with pytest.raises(Postponed) as first:
        worker.carry(message)
    assert 0 < first.value.retry_after_s < TAKEOVER_AFTER_S
    world.now_s += TAKEOVER_AFTER_S - 1
    world.store.put(layout.start_alive_key("a", 1, 1, 1), b"", media_type="text/plain")
    with pytest.raises(Postponed):
        worker.carry(message)
    world.now_s += TAKEOVER_AFTER_S - 1
    with pytest.raises(Postponed) as last:
        worker.carry(message)
    assert last.value.retry_after_s == pytest.approx(1.0)
    assert world.published() == []
    world.now_s += 1
    worker.carry(message)

    assert world.markers() == ["start-1", "start-1.alive-1", "start-2"]
    assert world.published() == ["a transcribing", "a ready"]


def test_a_start_that_was_released_is_no_reason_to_wait() -> None:
    world = World()
    message = world.upload("a")
    begun_elsewhere(world, "a", 1)
    world.store.put(layout.start_released_key("a", 1, 1), b"", media_type="text/plain")
    Worker(world).carry(message)

    assert world.published() == ["a transcribing", "a ready"]


def test_a_call_in_the_engine_gives_signs_of_life_when_it_is_anothers() -> None:
    world = World()
    worker = Worker(world)
    message = world.upload("a")

    def taken_away() -> None:
        worker.intake.disowned([message])
        eventually(lambda: len(world.markers()) > 1)
        assert worker.intake.live()

    def transcribe(windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:
        taken_away()
        return FakeEngine().transcribe(windows, hearing)

    worker.engine.transcribe = transcribe  # type: ignore[method-assign]  # the partition goes while it hears
    worker.carry(message)

    assert world.markers()[:2] == ["start-1", "start-1.alive-1"]
    assert world.published() == ["a transcribing", "a ready"]
    assert not worker.intake.live()


def test_a_call_whose_turn_has_not_come_is_let_go_of_when_it_is_anothers() -> None:
    world = World()
    worker = Worker(world)
    message = world.upload("a")

    def transcribe(windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:
        worker.intake.disowned([message])
        worker.intake.still_wanted("a/1")
        return FakeEngine().transcribe(windows, hearing)

    worker.engine.transcribe = transcribe  # type: ignore[method-assign]  # it waits for its turn
    with pytest.raises(Postponed):
        worker.carry(message)

    assert "start-1.released" in world.markers()
    assert world.published() == ["a transcribing"]


def test_three_hours_in_the_engine_survive_a_rebalance_every_minute() -> None:
    world = World()
    first, second = Worker(world), Worker(world)
    message = world.upload("a")
    in_engine, go_on = threading.Event(), threading.Event()

    def transcribe(windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:
        in_engine.set()
        assert go_on.wait(110)
        return FakeEngine().transcribe(windows, hearing)

    first.engine.transcribe = transcribe  # type: ignore[method-assign]  # an engine that takes its time
    working = threading.Thread(target=first.carry, args=(message,))
    working.start()
    assert in_engine.wait(10)
    for _minute in range(180):
        # The partition goes to the other, and comes back before the minute is over.
        first.intake.disowned([message])
        for _ in range(60 // 12):
            first.intake.live()
            with pytest.raises(Postponed):
                second.carry(message)
            world.now_s += 12
    go_on.set()
    working.join(10)
    second.carry(message)

    assert [name for name in world.markers() if "alive" not in name] == ["start-1"]
    assert second.engine.calls == 0
    assert world.published() == ["a transcribing", "a ready", "a ready"]


def test_whoever_dies_with_a_call_that_was_anothers_is_noticed() -> None:
    world = World()
    dead, second = Worker(world), Worker(world)
    message = world.upload("a")
    begun_elsewhere(world, "a", 1)
    with pytest.raises(Postponed):
        second.carry(message)
    world.store.put(layout.start_alive_key("a", 1, 1, 1), b"", media_type="text/plain")
    waited_s = 0.0
    while "a ready" not in world.published():
        try:
            second.carry(message)
        except Postponed as later:
            world.now_s += later.retry_after_s
            waited_s += later.retry_after_s

    assert waited_s == pytest.approx(TAKEOVER_AFTER_S)
    assert dead.engine.calls == 0
