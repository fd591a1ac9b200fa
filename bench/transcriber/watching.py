"""How full batches are: recognizers, with what they are given written down. Used by the library arm and `fairness`."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.transcriber.__main__ import engine, fitting, front_end, recognizers
from services.transcriber.batching import Watch
from services.transcriber.domain.hearing import Batch, Capacity, Heard
from services.transcriber.domain.prepared import PreparedCall
from services.transcriber.domain.recording import Recording
from services.transcriber.domain.result import EngineFacts
from services.transcriber.ports import Engine, FrontEnd, Recognizer, StillWanted
from services.transcriber.settings import TranscriberSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSeen:
    """A batch that was heard.

    Attributes:
        calls: Whose passages it held, by name.
        call_s: Of these calls, the part that is done with these passages; nothing of passages that are heard again.
        passages: How many.
        room: How many it could have held.
        speech_s: Of all of them.
        axis_s: How much time the model looked at, over all of them.
        begun_s: On the monotonic clock.
        took_s: How long it was in the recognizer, also while it waited there for a slot.
        stages_s: What the recognizer spent of that in each stage.
        repeated: Not the passages' first attempt.
    """

    calls: frozenset[str]
    call_s: float
    passages: int
    room: int
    speech_s: float
    axis_s: float
    begun_s: float
    took_s: float
    stages_s: Mapping[str, float]
    repeated: bool


@dataclass(slots=True)
class Book:
    """All batches, as they come, and what each window is of its call."""

    batches: list[BatchSeen] = field(default_factory=list)
    window_call_s: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def prepared(self, call: PreparedCall) -> None:
        """A call's windows are about to be heard."""
        for window in call.windows[:1]:
            with self.lock:
                self.window_call_s[window.call] = call.duration_s / len(call.windows)

    def take(self) -> list[BatchSeen]:
        """Those since the last time."""
        with self.lock:
            taken, self.batches = self.batches, []
        return taken


class Watched:
    """See `ports.Recognizer`."""

    def __init__(self, recognizer: Recognizer, book: Book) -> None:
        self._recognizer = recognizer
        self._book = book

    @property
    def facts(self) -> EngineFacts:
        """See `ports.Recognizer.facts`."""
        return self._recognizer.facts

    @property
    def capacity(self) -> Capacity:
        """See `ports.Recognizer.capacity`."""
        return self._recognizer.capacity

    def hear(self, batch: Batch) -> list[Heard]:
        """See `ports.Recognizer.hear`."""
        begun_s = time.monotonic()
        heard = self._recognizer.hear(batch)
        seen = self._seen(batch, begun_s, heard)
        with self._book.lock:
            self._book.batches.append(seen)
        return heard

    def _seen(self, batch: Batch, begun_s: float, heard: Sequence[Heard]) -> BatchSeen:
        capacity = self.capacity
        axis = capacity.axis
        whole = batch.search.whole_axis
        axes = [axis.whole_s if whole else axis.seconds(one.duration_s) for one in batch.passages]
        return BatchSeen(
            calls=frozenset(one.window.call for one in batch.passages),
            call_s=0.0 if whole else sum(self._book.window_call_s.get(one.window.call, 0.0) for one in batch.passages),
            passages=len(batch.passages),
            room=capacity.batch_size,
            speech_s=sum(one.duration_s for one in batch.passages),
            axis_s=sum(axes),
            begun_s=begun_s,
            took_s=time.monotonic() - begun_s,
            stages_s=_summed(one.stages_s for one in heard),
            repeated=whole,
        )


class WatchedFrontEnd:
    """See `ports.FrontEnd`."""

    def __init__(self, front_end: FrontEnd, book: Book) -> None:
        self._front_end = front_end
        self._book = book

    @contextmanager
    def prepare(self, audio: Path, recording: Recording) -> Iterator[PreparedCall]:
        """See `ports.FrontEnd.prepare`."""
        with self._front_end.prepare(audio, recording) as call:
            self._book.prepared(call)
            yield call


def _summed(shares: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Of all passages, by stage."""
    sums: dict[str, float] = defaultdict(float)
    for share in shares:
        for stage, seconds in share.items():
            sums[stage] += seconds
    return dict(sums)


def watched_children(
    book: Book,
) -> Callable[[TranscriberSettings, StillWanted, Watch], AbstractContextManager[tuple[FrontEnd, Engine]]]:
    """What makes front end and engine, as `services.transcriber.__main__.started_children` does, and writes into the book."""

    @contextmanager
    def started(
        settings: TranscriberSettings, still_wanted: StillWanted, watch: Watch
    ) -> Iterator[tuple[FrontEnd, Engine]]:
        with ExitStack() as opened:
            hearers = [opened.enter_context(closing(recognizer)) for recognizer in recognizers(settings)]
            for each in hearers:
                each.start()
            settings = fitting(settings, (each.capacity for each in hearers))
            watched = [Watched(each, book) for each in hearers]
            hearer = opened.enter_context(closing(engine(settings, watched, still_wanted, watch)))
            hearer.start()
            listener = opened.enter_context(closing(front_end(settings, hearers[0].capacity.features, still_wanted)))
            listener.start()
            yield WatchedFrontEnd(listener, book), hearer

    return started


def fill(batches: Sequence[BatchSeen]) -> dict[str, float]:
    """How full they were; nothing of none.

    `slot_fill` is passages for each that there was room for, `window_fill` seconds of speech for each that the model looked
    at; `took_s` and `stage.*_s` are of a batch, in the mean.
    """
    if not batches:
        return {}
    passages = sum(one.passages for one in batches)
    return {
        "batches": len(batches),
        "call_s": sum(one.call_s for one in batches),
        "mean_batch": passages / len(batches),
        "slot_fill": passages / sum(one.room for one in batches),
        "window_fill": sum(one.speech_s for one in batches) / sum(one.axis_s for one in batches),
        "mean_window_s": sum(one.speech_s for one in batches) / passages,
        "mean_axis_s": sum(one.axis_s for one in batches) / passages,
        "took_s": sum(one.took_s for one in batches) / len(batches),
        **{
            f"stage.{stage}_s": seconds / len(batches)
            for stage, seconds in _summed(one.stages_s for one in batches).items()
        },
        "repeated": sum(one.passages for one in batches if one.repeated) / passages,
    }
