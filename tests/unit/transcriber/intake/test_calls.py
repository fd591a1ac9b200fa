from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from pipeline.contracts import layout
from pipeline.errors import CallFault, Postponed, Transient
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.fakes import FakeEngine
from tests.unit.transcriber.intake.rig import Worker, World, call_off


def test_a_start_is_marked_before_the_work_and_the_transcript_ends_it() -> None:
    world = World()
    worker = Worker(world)
    worker.carry(world.upload("a"))

    assert world.markers() == ["start-1"]
    assert world.published() == ["a transcribing", "a ready"]


def test_a_call_costs_one_listing_one_marker_and_two_looks_whether_it_is_called_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    worker = Worker(world)
    message = world.upload("a")
    asked: list[str] = []
    for name in ("list", "put", "stat", "read"):
        real = getattr(world.store, name)

        def counted(*args: object, name: str = name, real: object = real, **named: object) -> object:
            asked.append(name)
            return real(*args, **named)  # type: ignore[operator]  # the store's own method

        monkeypatch.setattr(world.store, name, counted)
    worker.carry(message)

    # The marker, the transcript; the recording is read; looked at before the transcript is put and before it is told.
    assert sorted(asked) == ["list", "put", "put", "read", "stat", "stat"]


def test_a_call_that_was_called_off_is_not_begun() -> None:
    world = World()
    worker = Worker(world)
    message = world.upload("a")
    call_off(world, "a")
    worker.carry(message)

    assert (worker.engine.calls, world.published(), world.markers(), world.put_aside()) == (0, [], [], [])


def test_a_call_that_is_called_off_while_it_is_heard_leaves_nothing_to_read_and_says_nothing() -> None:
    world = World()
    worker = Worker(world)
    message = world.upload("a")
    worker.engine.meanwhile = lambda: call_off(world, "a")
    worker.carry(message)

    assert worker.engine.calls == 1
    assert world.published() == ["a transcribing"]
    assert not [blob.key for blob in world.store.list("jobs/a/") if blob.key.endswith("transcript.json")]


def test_only_the_run_that_was_called_off_is_left_alone() -> None:
    world = World()
    call_off(world, "a")
    worker = Worker(world)
    worker.carry(world.upload("a", run=2))

    assert world.published() == ["a transcribing", "a ready"]


def test_a_transcript_that_lies_there_is_announced_again_without_engine_and_marker() -> None:
    world = World()
    message = world.upload("a")
    Worker(world).carry(message)
    again = Worker(world)
    again.carry(message)

    assert again.engine.calls == 0
    assert world.markers() == ["start-1"]
    assert world.published() == ["a transcribing", "a ready", "a ready"]


def test_a_transcript_of_another_run_is_not_this_runs() -> None:
    world = World()
    Worker(world).carry(world.upload("a", run=1))
    second = Worker(world)
    second.carry(world.upload("a", run=2))

    assert second.engine.calls == 1
    assert world.markers(run=2) == ["start-1"]


def test_a_failure_that_has_a_name_releases_the_start() -> None:
    world = World()
    worker = Worker(world)
    worker.front_end.error = CallFault("no_audio")
    worker.carry(world.upload("a"))

    assert world.markers() == ["start-1", "start-1.released"]
    assert world.published() == ["a transcribing", "a failed"]


def test_a_call_that_goes_to_the_retry_topic_has_its_start_released() -> None:
    world = World()
    worker = Worker(world)
    worker.engine.script = [Transient("odd"), Transient("odd")]
    worker.carry(world.upload("a"))

    assert world.markers() == ["start-1", "start-1.released"]
    assert len(world.broker.messages("audio.uploaded.retry")) == 1


def test_the_same_again_after_a_pause_is_the_same_start() -> None:
    world = World()
    worker = Worker(world)
    message = world.upload("a")
    world.broker.down = True
    with pytest.raises(Transient):
        worker.carry(message)
    world.broker.down = False
    worker.carry(message)

    assert world.markers() == ["start-1"]
    assert worker.engine.calls == 1


def test_a_worker_that_drains_takes_no_call_on() -> None:
    world = World()
    worker = Worker(world)
    worker.intake.draining()
    with pytest.raises(Postponed):
        worker.carry(world.upload("a"))

    assert world.markers() == []


def test_what_is_left_when_the_drain_is_over_is_released() -> None:
    world = World()
    worker = Worker(world)
    messages = [world.upload(job) for job in ("a", "b")]
    in_engine, go_on = threading.Semaphore(0), threading.Event()

    def transcribe(windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:
        in_engine.release()
        assert go_on.wait(10)
        return FakeEngine().transcribe(windows, hearing)

    worker.engine.transcribe = transcribe  # type: ignore[method-assign]  # an engine that waits for us
    threads = [threading.Thread(target=worker.carry, args=(message,)) for message in messages]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert in_engine.acquire(timeout=10)
    worker.intake.draining()
    worker.intake.left(messages)
    assert world.markers("a") == ["start-1", "start-1.released"]
    assert world.markers("b") == ["start-1", "start-1.released"]
    go_on.set()
    for thread in threads:
        thread.join(10)


def test_a_store_that_takes_nothing_keeps_no_leaving_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    worker = Worker(world)
    message = world.upload("a")
    never = threading.Event()

    def transcribe(windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:  # noqa: ARG001  the engine's
        def hang(*_args: object, **_named: object) -> None:
            never.wait()

        monkeypatch.setattr(world.store, "put", hang)
        monkeypatch.setattr("services.transcriber.intake.markers._LEAVING_S", 0.05)
        worker.intake.left([message])
        never.set()
        raise Postponed("the worker is being closed")

    worker.engine.transcribe = transcribe  # type: ignore[method-assign]  # it leaves in the middle
    with pytest.raises(Postponed):
        worker.carry(message)


def test_a_start_that_could_not_be_released_is_not_waited_for() -> None:
    world = World()
    worker = Worker(world)
    message = world.upload("a")
    worker.front_end.error = CallFault("no_audio")

    real = world.store.put

    def refusing(key: str, data: bytes, *, media_type: str) -> None:
        if key.endswith(layout.RELEASED_SUFFIX):
            raise Transient("away")
        real(key, data, media_type=media_type)

    world.store.put = refusing  # type: ignore[method-assign]  # a store that takes no release
    worker.carry(message)
    worker.front_end.error = None
    worker.carry(message)

    assert world.markers() == ["start-1", "start-2"]
    assert world.published()[-1] == "a ready"
