"""A whole worker: drained, stopped, killed, and given calls that crash, hang or blow up whoever works on them."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from pipeline.testing.waiting import eventually
from razgovor.chaos.engine_log import engine_calls
from razgovor.chaos.poison import Poison
from tests.integration.transcriber.worker import Worker, World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

#: SIGTERM to exit, whatever is under way.
LEAVES_WITHIN_S = 10.0
HANGS = {
    "TRANSCRIBER_ENGINE_BASE_TIMEOUT_S": "1",
    "TRANSCRIBER_ENGINE_TIMEOUT_PER_SPEECH_S": "0.1",
    "TRANSCRIBER_DECODE_TIMEOUT_S": "1.5",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def leave(worker: Worker) -> float:
    """Ask a worker to stop; how long it took."""
    children = worker.children()
    begin_s = time.monotonic()
    worker.send(signal.SIGTERM)
    assert worker.process.wait(30) == 0
    took_s = time.monotonic() - begin_s
    eventually(lambda: all(gone(child) for child in children))
    return took_s


def test_a_worker_without_work_leaves_at_once(world: World) -> None:
    assert leave(world.worker().await_ready()) < LEAVES_WITHIN_S / 2


def test_a_short_call_is_finished_before_leaving(world: World) -> None:
    worker = world.worker(RAZGOVOR_ENGINE_S="1").await_ready()
    world.upload("a")
    eventually(lambda: world.markers("a"))
    leave(worker)

    assert world.ready() == {"a"}
    assert world.markers("a") == ["start-1"]
    assert world.committed() == 1


def test_a_long_call_is_handed_over(world: World) -> None:
    worker = world.worker(RAZGOVOR_ENGINE_S="600").await_ready()
    world.upload("a")
    eventually(lambda: world.markers("a"))
    took_s = leave(worker)

    assert took_s < LEAVES_WITHIN_S
    assert world.markers("a") == ["start-1", "start-1.released"]
    assert world.committed() == 0
    world.worker()
    eventually(lambda: world.ready() == {"a"}, deadline_s=60)
    assert world.markers("a") == ["start-1", "start-1.released", "start-2"]
    eventually(lambda: world.committed() == 1)


@pytest.mark.parametrize("poison", [Poison.ENGINE_HANG, Poison.DECODER_HANG])
def test_a_call_that_sits_in_a_child_is_handed_over_and_the_child_ended(world: World, poison: Poison) -> None:
    worker = world.worker().await_ready()
    world.upload("a", poison)
    world.upload("b", poison)
    world.upload("c")
    eventually(lambda: world.ready() == {"c"} and world.markers("a") and world.markers("b") and worker.children())
    took_s = leave(worker)

    assert took_s < LEAVES_WITHIN_S
    for job in ("a", "b"):
        assert world.markers(job) == ["start-1", "start-1.released"]
    assert world.failed() == {}
    assert world.put_aside() == []
    assert world.committed() <= 1


def test_a_worker_leaves_in_time_though_the_broker_is_gone(world: World) -> None:
    worker = world.worker(RAZGOVOR_ENGINE_S="600").await_ready()
    world.upload("a")
    eventually(lambda: world.markers("a"))
    world.lose_broker()
    took_s = leave(worker)

    assert took_s < LEAVES_WITHIN_S
    assert "start-1.released" in world.markers("a")


def test_a_killed_worker_leaves_its_calls_to_another_after_a_while(world: World) -> None:
    worker = world.worker(RAZGOVOR_ENGINE_S="600").await_ready()
    jobs = {world.upload(f"job-{number}") for number in range(6)}
    eventually(lambda: all(world.markers(job) for job in jobs))
    worker.kill()
    world.worker()
    eventually(lambda: world.ready() == jobs, deadline_s=75)

    assert all(world.markers(job) == ["start-1", "start-2"] for job in jobs)
    eventually(lambda: world.committed() == len(jobs))


def some_ready(world: World, jobs: set[str]) -> bool:
    return bool(world.ready() & jobs)


def test_long_calls_survive_rebalances_and_are_heard_once(world: World) -> None:
    heard = world.folder / "engine.log"
    log = {"RAZGOVOR_ENGINE_LOG": str(heard)}
    first = world.worker(RAZGOVOR_ENGINE_S="40", **log).await_ready()
    long = {world.upload(f"long-{number}") for number in range(8)}  # on all partitions, so that some of them move
    eventually(lambda: all(world.markers(job) for job in long))
    while not long <= world.ready():
        other = world.worker(**log).await_ready()
        short = {world.upload(f"job-{world.uploads}") for _ in range(8)}
        eventually(partial(some_ready, world, short), deadline_s=60)  # those that are the newcomer's now
        leave(other)
    eventually(lambda: world.committed() == world.uploads, deadline_s=90)

    assert not first.has_ended()
    runs = engine_calls(heard)
    assert all(runs[f"{job}/1"] == 1 for job in long)
    assert any("alive" in name for job in long for name in world.markers(job))


def test_a_worker_that_was_stopped_past_its_session_changes_nothing_with_its_late_result(world: World) -> None:
    slow = world.worker(RAZGOVOR_ENGINE_S="4").await_ready()
    world.upload("a")
    eventually(lambda: world.markers("a"))
    slow.send(signal.SIGSTOP)
    other = world.worker().await_ready()
    eventually(lambda: world.ready() == {"a"}, deadline_s=60)
    eventually(lambda: world.committed() == 1)
    said = {event.event_id for event in world.events()}
    slow.send(signal.SIGCONT)
    world.upload("b")
    eventually(lambda: world.ready() == {"a", "b"}, deadline_s=60)
    eventually(lambda: world.committed() == 2)
    leave(slow)
    leave(other)

    # Whatever it says late has been said: the ledger counts an event once.
    assert {event.event_id for event in world.events() if event.job_id == "a"} == said
    assert world.committed() == 2
    assert world.put_aside() == []


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (Poison.ENGINE_CRASH, "worker_crashed"),
        (Poison.ENGINE_HANG, "worker_crashed"),
        (Poison.ENGINE_MEMORY, "worker_crashed"),
        (Poison.DECODER_CRASH, "worker_crashed"),
        (Poison.DECODER_HANG, "decode_timeout"),
        (Poison.DECODER_MEMORY, "worker_crashed"),
    ],
)
def test_poison_fails_its_own_call_and_the_others_go_on(world: World, poison: Poison, reason: str) -> None:
    worker = world.worker(**HANGS).await_ready()
    before = {world.upload(f"before-{number}") for number in range(3)}
    world.upload("poison", poison)
    after = {world.upload(f"after-{number}") for number in range(3)}
    eventually(lambda: world.failed() == {"poison": reason}, deadline_s=120)
    eventually(lambda: world.ready() == before | after, deadline_s=60)

    assert not worker.has_ended()
    assert world.put_aside() == ([b"worker_crashed"] if reason == "worker_crashed" else [])
    eventually(lambda: world.committed() == 7)
    assert len(world.markers("poison")) <= 4 + 1


@pytest.mark.parametrize("poison", [Poison.ENGINE_WITH_PARENT, Poison.DECODER_WITH_PARENT])
def test_poison_that_takes_the_worker_with_it_is_given_up_and_the_others_go_on(world: World, poison: Poison) -> None:
    honest = {world.upload(f"job-{number}") for number in range(4)}
    world.upload("poison", poison)
    deaths = 0
    worker = world.worker()

    def settled() -> bool:
        nonlocal worker, deaths
        if worker.has_ended():
            assert worker.process.returncode == -signal.SIGKILL
            deaths += 1
            worker = world.worker()
        return world.failed() == {"poison": "worker_crashed"} and world.ready() == honest

    eventually(settled, deadline_s=240)
    assert deaths == 4  # two among others, two alone
    assert world.markers("poison") == ["start-1", "start-2", "start-3", "start-4"]
    assert world.put_aside() == [b"worker_crashed"]
    eventually(lambda: world.committed() == 5)


def test_a_sick_engine_takes_the_worker_out_of_the_group_and_burns_nothing(world: World) -> None:
    jobs = [world.upload(f"job-{number}", Poison.ENGINE_CRASH) for number in range(4)]
    worker = world.worker()

    assert worker.process.wait(60) == 70
    assert "sick" in worker.log()
    assert world.failed() == {}
    assert world.put_aside() == []
    for job in jobs:
        markers = world.markers(job)
        assert {name for name in markers if not name.endswith(".released")} == {
            name.removesuffix(".released") for name in markers if name.endswith(".released")
        }
    assert world.committed() == 0
