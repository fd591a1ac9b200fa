from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts.events import AudioUploaded, Event
from pipeline.errors import WorkerCrashed
from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics
from pipeline.testing import samples
from services.transcriber.batching import HeardBatch
from services.transcriber.batching.courses import Kind
from services.transcriber.domain.hearing import Heard, Hearing
from services.transcriber.domain.recording import Recording
from services.transcriber.domain.result import EngineFacts
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.metered import BatchingMetrics, MeteredEngine, MeteredFrontEnd, counting_waits
from services.transcriber.ports import EngineCrashed

RUSSIAN = Hearing(language="ru")

WAITED_S = 7.0


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Inner:
    """An engine in which time passes as the test says."""

    facts = EngineFacts(engine="e", model="m", model_sha256="0" * 64, parameters={})

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.error: Exception | None = None
        self.entered = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.go_on.set()

    def transcribe(self, _windows: Sequence[Window], _hearing: Hearing) -> list[WindowWords]:
        self.entered.release()
        self.go_on.wait(10)
        self._clock.now_s += 2.0
        if self.error is not None:
            raise self.error
        return []


def test_the_engine_is_busy_while_a_call_is_inside() -> None:
    clock, metrics = Clock(), Metrics()
    engine = MeteredEngine(Inner(clock), metrics, clock)
    assert metrics.value(families.ENGINE) == 0.0
    engine.transcribe([], RUSSIAN)
    clock.now_s += 50.0
    engine.transcribe([], RUSSIAN)
    assert metrics.value(families.ENGINE) == 4.0
    assert engine.facts.model == "m"


def test_calls_side_by_side_are_not_counted_twice() -> None:
    clock, metrics = Clock(), Metrics()
    inner = Inner(clock)
    engine = MeteredEngine(inner, metrics, clock)
    inner.go_on.clear()
    threads = [threading.Thread(target=engine.transcribe, args=([], "ru")) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inner.entered.acquire(timeout=10)
    clock.now_s += 10.0
    inner.go_on.set()
    for thread in threads:
        thread.join(10)
    assert metrics.value(families.ENGINE) == 16.0


def test_a_crash_of_the_engine_is_counted_and_its_time_too() -> None:
    clock, metrics = Clock(), Metrics()
    inner = Inner(clock)
    inner.error = EngineCrashed("gone")
    with pytest.raises(EngineCrashed):
        MeteredEngine(inner, metrics, clock).transcribe([], RUSSIAN)
    assert metrics.value(families.CHILD_CRASHES, child="engine") == 1
    assert metrics.value(families.ENGINE) == 2.0
    assert metrics.value(families.ENGINE_SPEECH) == 0.0


def test_a_crash_of_the_front_end_is_counted() -> None:
    class Crashing:
        def prepare(self, audio: Path, recording: Recording) -> Any:  # noqa: ARG002  the port's signature
            raise WorkerCrashed

    metrics = Metrics()
    with (
        pytest.raises(WorkerCrashed),
        MeteredFrontEnd(Crashing(), metrics).prepare(Path("a"), Recording(call="c", sha256="s")),
    ):
        pass
    assert metrics.value(families.CHILD_CRASHES, child="front_end") == 1


@pytest.mark.parametrize(
    ("event", "said", "counted"),
    [
        (samples.audio_uploaded(priority="bulk"), (samples.job_status(state="transcribing"),), 1.0),
        (samples.audio_uploaded(priority="bulk"), (), None),
        (samples.audio_uploaded(run=2, priority="bulk"), (samples.job_status(state="transcribing"),), None),
    ],
)
def test_the_wait_of_first_runs_is_counted_when_work_begins(
    event: AudioUploaded, said: Sequence[Event], counted: float | None
) -> None:
    metrics = Metrics()
    announce = counting_waits(lambda _event: said, metrics, lambda: event.accepted_at + timedelta(seconds=WAITED_S))
    assert announce(event) is said
    assert metrics.value(families.QUEUE_WAIT, "_count", priority="bulk") == counted
    assert metrics.value(families.QUEUE_WAIT, "_sum", priority="bulk") == (WAITED_S if counted else None)


def test_what_batches_do_with_the_time_is_counted() -> None:
    metrics = Metrics()
    watch = BatchingMetrics(metrics)
    stages_s = {"encode": 0.25, "search": 0.5}
    first = HeardBatch(kind=Kind.FIRST, axis_s=60.0, slot_s=2.0, heard=[Heard(stages_s=stages_s)] * 3)
    watch.working(2, sick=1, slots=4)
    watch.queued(7)
    watch.heard(first)
    watch.heard(replace(first, kind=Kind.HALF))

    assert metrics.value(families.ENGINE_DEVICES, state="working") == 2
    assert metrics.value(families.ENGINE_DEVICES, state="sick") == 1
    assert metrics.value(families.ENGINE_SLOTS) == 4
    assert metrics.value(families.ENGINE_QUEUE) == 7
    assert metrics.value(families.ENGINE_SLOT_TIME) == 4.0
    assert metrics.value(families.ENGINE_AXIS) == 60.0
    for attempt in ("first", "half"):
        assert metrics.value(families.ENGINE_BATCHES, attempt=attempt) == 1
        assert metrics.value(families.ENGINE_PASSAGES, attempt=attempt) == 3
    assert metrics.value(families.STAGES, stage="encode") == 1.5
    assert metrics.value(families.STAGES, stage="search") == 3.0
