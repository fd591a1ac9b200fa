"""The transcriber's ports, with what they do counted. `__main__` puts them around what it constructs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pipeline.contracts.events import AudioUploaded, Event
from pipeline.errors import WorkerCrashed
from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics
from services.transcriber.batching import HeardBatch
from services.transcriber.batching.courses import Kind
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.prepared import PreparedCall
from services.transcriber.domain.recording import Recording
from services.transcriber.domain.result import EngineFacts
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.ports import Engine, EngineCrashed, FrontEnd


class MeteredEngine:
    """See `ports.Engine`. Calls that come side by side wait for each other, so busy is while any of them is inside."""

    def __init__(self, engine: Engine, metrics: Metrics, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._metrics = metrics
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._inside = 0
        self._counted_until_s = 0.0
        metrics.start_at_zero(families.ENGINE, families.ENGINE_SPEECH)

    @property
    def facts(self) -> EngineFacts:
        """See `ports.Engine.facts`."""
        return self._engine.facts

    def transcribe(self, windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:
        """See `ports.Engine.transcribe`."""
        try:
            with self._busy():
                heard = self._engine.transcribe(windows, hearing)
        except EngineCrashed:
            self._metrics.add(families.CHILD_CRASHES, child="engine")
            raise
        self._metrics.add(families.ENGINE_SPEECH, sum(window.duration_s for window in windows))
        return heard

    @contextmanager
    def _busy(self) -> Iterator[None]:
        self._step(1)
        try:
            yield
        finally:
            self._step(-1)

    def _step(self, by: int) -> None:
        with self._lock:
            now_s = self._monotonic_s()
            if self._inside:
                self._metrics.add(families.ENGINE, now_s - self._counted_until_s)
            self._counted_until_s = now_s
            self._inside += by


class BatchingMetrics:
    """See `batching.Watch`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        metrics.start_at_zero(families.ENGINE_SLOT_TIME, families.ENGINE_AXIS, families.ENGINE_QUEUE)

    def queued(self, passages: int) -> None:
        """See `batching.Watch`."""
        self._metrics.set(families.ENGINE_QUEUE, passages)

    def working(self, devices: int, *, sick: int, slots: int) -> None:
        """See `batching.Watch`."""
        self._metrics.set(families.ENGINE_DEVICES, devices, state="working")
        self._metrics.set(families.ENGINE_DEVICES, sick, state="sick")
        self._metrics.set(families.ENGINE_SLOTS, slots)

    def heard(self, batch: HeardBatch) -> None:
        """See `batching.Watch`."""
        self._metrics.add(families.ENGINE_SLOT_TIME, batch.slot_s)
        self._metrics.add(families.ENGINE_BATCHES, attempt=batch.kind)
        self._metrics.add(families.ENGINE_PASSAGES, len(batch.heard), attempt=batch.kind)
        if batch.kind is Kind.FIRST:
            self._metrics.add(families.ENGINE_AXIS, batch.axis_s)
        for heard in batch.heard:
            for stage, seconds in heard.stages_s.items():
                self._metrics.add(families.STAGES, seconds, stage=stage)


class MeteredFrontEnd:
    """See `ports.FrontEnd`."""

    def __init__(self, front_end: FrontEnd, metrics: Metrics) -> None:
        self._front_end = front_end
        self._metrics = metrics

    @contextmanager
    def prepare(self, audio: Path, recording: Recording) -> Iterator[PreparedCall]:
        """See `ports.FrontEnd.prepare`."""
        try:
            with self._front_end.prepare(audio, recording) as prepared:
                self._metrics.add(families.STAGES, prepared.decode_ms / 1000, stage="decode")
                self._metrics.add(families.STAGES, prepared.vad_ms / 1000, stage="vad")
                self._metrics.add(families.STAGES, prepared.features_ms / 1000, stage="features")
                yield prepared
        except WorkerCrashed:
            self._metrics.add(families.CHILD_CRASHES, child="front_end")
            raise


def counting_waits(
    announce: Callable[[AudioUploaded], Sequence[Event]], metrics: Metrics, clock: Callable[[], datetime]
) -> Callable[[AudioUploaded], Sequence[Event]]:
    """`announce`, and whenever it says that work begins on a first run, how long the call has waited for that."""

    def counted(event: AudioUploaded, /) -> Sequence[Event]:
        said = announce(event)
        if said and event.run == 1:
            waited_s = (clock() - event.accepted_at).total_seconds()
            metrics.observe(families.QUEUE_WAIT, max(0.0, waited_s), priority=event.priority)
        return said

    return counted
