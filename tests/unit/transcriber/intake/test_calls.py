from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from pipeline.contracts import layout
from pipeline.errors import CallFault, Fatal, Postponed, Transient, WorkerCrashed
from pipeline.stream.ports import Message
from pipeline.testing.waiting import eventually
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.fakes import FakeEngine
from services.transcriber.ports import EngineCrashed
from tests.unit.transcriber.intake.rig import TAKEOVER_AFTER_S, Worker, World

DIED = EngineCrashed("the child process died with exit code -11")


def test_a_start_is_marked_before_the_work_and_the_transcript_ends_it() -> None:
    world = World()
    worker = Worker(world)
    worker.carry(world.upload("a"))

    assert world.markers() == ["start-1"]
    assert world.published() == ["a transcribing", "a ready"]


def test_a_call_costs_one_listing_and_one_marker(monkeypatch: pytest.MonkeyPatch) -> None:
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

    assert sorted(asked) == ["list", "put", "put", "read"]  # the marker, the transcript; the recording is read


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


def begun_elsewhere(world: World, job_id: str, *numbers: int, run: int = 1) -> None:
    for number in numbers:
        world.store.put(layout.start_key(job_id, run, number), b"", media_type="text/plain")


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
        def transcribe(self, windows: Sequence[Window], language: str) -> list[WindowWords]:
            in_engine.set()
            assert go_on.wait(10)
            return super().transcribe(windows, language)

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
    worker.engine.script = [DIED] * 9
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
    worker.engine.script = [DIED] * 3
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
    worker.engine.script = [DIED, DIED, None, DIED]
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
        worker.engine.script = [DIED] * 99
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


def test_a_call_in_the_engine_gives_signs_of_life_when_it_is_anothers() -> None:
    world = World()
    worker = Worker(world)
    message = world.upload("a")

    def taken_away() -> None:
        worker.intake.disowned([message])
        eventually(lambda: len(world.markers()) > 1)
        assert worker.intake.live()

    def transcribe(windows: Sequence[Window], language: str) -> list[WindowWords]:
        taken_away()
        return FakeEngine().transcribe(windows, language)

    worker.engine.transcribe = transcribe  # type: ignore[method-assign]  # the partition goes while it hears
    worker.carry(message)

    assert world.markers()[:2] == ["start-1", "start-1.alive-1"]
    assert world.published() == ["a transcribing", "a ready"]
    assert not worker.intake.live()


def test_a_call_whose_turn_has_not_come_is_let_go_of_when_it_is_anothers() -> None:
    world = World()
    worker = Worker(world)
    message = world.upload("a")

    def transcribe(windows: Sequence[Window], language: str) -> list[WindowWords]:
        worker.intake.disowned([message])
        worker.intake.still_wanted("a/1")
        return FakeEngine().transcribe(windows, language)

    worker.engine.transcribe = transcribe  # type: ignore[method-assign]  # it waits for its turn
    with pytest.raises(Postponed):
        worker.carry(message)

    assert "start-1.released" in world.markers()
    assert world.published() == ["a transcribing"]


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

    def transcribe(windows: Sequence[Window], language: str) -> list[WindowWords]:
        in_engine.release()
        assert go_on.wait(10)
        return FakeEngine().transcribe(windows, language)

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

    def transcribe(windows: Sequence[Window], language: str) -> list[WindowWords]:  # noqa: ARG001  the engine's
        def hang(*_args: object, **_named: object) -> None:
            never.wait(30)

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


def test_three_hours_in_the_engine_survive_a_rebalance_every_minute() -> None:
    world = World()
    first, second = Worker(world), Worker(world)
    message = world.upload("a")
    in_engine, go_on = threading.Event(), threading.Event()

    def transcribe(windows: Sequence[Window], language: str) -> list[WindowWords]:
        in_engine.set()
        assert go_on.wait(110)
        return FakeEngine().transcribe(windows, language)

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
