"""Calls that crash who works on them, and engines that crash with any call."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from pipeline.contracts import layout
from pipeline.errors import Fatal, Postponed, WorkerCrashed
from pipeline.stream.ports import Message
from pipeline.testing.waiting import eventually
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.fakes import FakeEngine
from services.transcriber.ports import EngineCrashed
from tests.unit.transcriber.intake.rig import TAKEOVER_AFTER_S, Worker, World, begun_elsewhere


def died() -> EngineCrashed:
    return EngineCrashed("the child process died with exit code -11")


def test_a_call_that_crashed_two_workers_runs_alone() -> None:
    world = World()
    worker = Worker(world)
    poison, other = world.upload("a"), world.upload("b")
    begun_elsewhere(world, "a", 1, 2)
    with pytest.raises(Postponed):
        worker.carry(poison)
    world.now_s += TAKEOVER_AFTER_S

    in_engine, go_on = threading.Event(), threading.Event()

    class Blocking(FakeEngine):
        def transcribe(self, windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:
            in_engine.set()
            assert go_on.wait(10)
            return super().transcribe(windows, hearing)

    blocking = Blocking()
    worker.engine.transcribe = blocking.transcribe  # type: ignore[method-assign]  # an engine that waits for us
    both = [threading.Thread(target=worker.carry, args=(message,)) for message in (other, poison)]
    both[0].start()
    assert in_engine.wait(10)
    both[1].start()
    eventually(lambda: worker.intake._gate._want_alone == 1)
    assert world.markers() == ["start-1", "start-2"]
    go_on.set()
    for thread in both:
        thread.join(10)

    assert world.markers() == ["start-1", "start-2", "start-3"]
    assert world.published().count("a ready") == 1


def test_who_waited_to_be_alone_looks_again_before_it_begins() -> None:
    world = World()
    worker = Worker(world)
    poison, other = world.upload("a"), world.upload("b")
    begun_elsewhere(world, "a", 1, 2)
    with pytest.raises(Postponed):
        worker.carry(poison)
    world.now_s += TAKEOVER_AFTER_S
    worker.intake._gate.enter(alone=False, still_wanted=lambda: None)
    waiting = threading.Thread(target=worker.carry, args=(poison,))
    waiting.start()
    eventually(lambda: worker.intake._gate._want_alone == 1)
    # Whoever began it was alive after all.
    elsewhere = World()
    elsewhere.store = world.store
    Worker(elsewhere).carry(elsewhere.upload("b"))
    [made] = [blob for blob in world.store.list(layout.run_prefix("b", 1)) if blob.key.endswith("transcript.json")]
    world.store.put(made.key.replace("jobs/b/", "jobs/a/"), world.store.read(made.key), media_type="application/json")
    worker.intake._gate.leave(alone=False)
    waiting.join(10)

    assert world.markers() == ["start-1", "start-2"]
    assert worker.engine.calls == 0
    worker.carry(other)  # the gate is open


def test_two_crashes_alone_and_the_call_is_given_up_for_good() -> None:
    world = World()
    worker = Worker(world)
    message = world.upload("a")
    begun_elsewhere(world, "a", 1, 2, 3, 4)
    with pytest.raises(Postponed):
        worker.carry(message)
    world.now_s += TAKEOVER_AFTER_S
    worker.carry(message)

    assert worker.engine.calls == 0
    assert world.published() == ["a failed"]
    assert world.put_aside() == [b"worker_crashed"]
    assert len(world.markers()) == 4


def test_a_call_that_the_engine_dies_of_is_taken_again_and_given_up_after_two_deaths_alone() -> None:
    world = World()
    worker = Worker(world)
    message = world.upload("a")
    worker.engine.script = [died() for _ in range(9)]
    for _ in range(4):
        with pytest.raises(EngineCrashed):
            worker.carry(message)
    worker.carry(message)

    assert worker.engine.calls == 4
    assert world.markers() == ["start-1", "start-2", "start-3", "start-4"]
    assert world.published()[-1] == "a failed"
    assert world.put_aside() == [b"worker_crashed"]


def test_a_decoder_that_dies_of_a_call_fails_it() -> None:
    world = World()
    worker = Worker(world)
    worker.front_end.error = WorkerCrashed()
    worker.carry(world.upload("a"))

    assert world.published() == ["a transcribing", "a failed"]
    assert world.put_aside() == [b"worker_crashed"]
    assert world.markers() == ["start-1", "start-1.released"]


def test_a_sick_engine_takes_the_worker_out_and_burns_no_start() -> None:
    world = World()
    worker = Worker(world)
    messages = [world.upload(job) for job in ("a", "b", "c")]
    worker.engine.script = [died() for _ in range(3)]
    for message in messages[:2]:
        with pytest.raises(EngineCrashed):
            worker.carry(message)
    with pytest.raises(Fatal, match="sick"):
        worker.carry(messages[2])

    for job in ("a", "b", "c"):
        assert world.markers(job) == ["start-1", "start-1.released"]
    assert world.put_aside() == []
    healthy = Worker(world)
    for message in messages:
        healthy.carry(message)
    assert [said for said in world.published() if said.endswith("ready")] == ["a ready", "b ready", "c ready"]


def test_calls_that_are_heard_between_deaths_show_that_the_engine_is_well() -> None:
    world = World()
    worker = Worker(world)
    worker.engine.script = [died(), died(), None, died()]
    for job in ("a", "b"):
        with pytest.raises(EngineCrashed):
            worker.carry(world.upload(job))
    worker.carry(world.upload("c"))
    with pytest.raises(EngineCrashed):
        worker.carry(world.upload("d"))

    assert world.markers("a") == ["start-1"]


def test_three_poisoned_calls_and_nothing_else_come_to_an_end_over_workers_that_leave() -> None:
    world = World()
    poisoned = {job: world.upload(job) for job in ("a", "b", "c")}
    lives = 0
    while poisoned:
        lives += 1
        assert lives < 20
        worker = Worker(world)
        worker.engine.script = [died() for _ in range(99)]
        world.now_s += TAKEOVER_AFTER_S
        live_until_fatal(world, worker, poisoned)

    assert set(world.put_aside()) == {b"worker_crashed"}
    assert [said for said in world.published() if said.endswith("failed")] == ["a failed", "b failed", "c failed"]


def live_until_fatal(world: World, worker: Worker, calls: dict[str, Message]) -> None:
    """Carry what is there round and round, as the runner does, until nothing is left or the worker leaves."""
    while calls:
        for job in list(calls):
            try:
                worker.carry(world.upload(job))
            except Postponed as later:
                world.now_s += later.retry_after_s
            except Fatal:
                return
            else:
                del calls[job]
