"""How full batches are: recognizers, with what they are given written down. Used by the library arm and `fairness`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field

from services.transcriber.__main__ import engine, fitting, front_end, recognizers
from services.transcriber.batching import Watch
from services.transcriber.domain.hearing import Batch, Capacity, Heard
from services.transcriber.domain.result import EngineFacts
from services.transcriber.ports import Engine, FrontEnd, Recognizer, StillWanted
from services.transcriber.settings import TranscriberSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSeen:
    """A batch that was heard.

    Attributes:
        calls: Whose passages it held, by name.
        passages: How many.
        room: How many it could have held.
        speech_s: Of all of them.
        axis_s: How much time the model looked at, over all of them.
        begun_s: On the monotonic clock.
        took_s: How long it was in the recognizer.
        repeated: Not the passages' first attempt.
    """

    calls: frozenset[str]
    passages: int
    room: int
    speech_s: float
    axis_s: float
    begun_s: float
    took_s: float
    repeated: bool


@dataclass(slots=True)
class Book:
    """All batches, as they come."""

    batches: list[BatchSeen] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

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
        seen = self._seen(batch, begun_s)
        with self._book.lock:
            self._book.batches.append(seen)
        return heard

    def _seen(self, batch: Batch, begun_s: float) -> BatchSeen:
        capacity = self.capacity
        axis = capacity.axis
        whole = batch.search.whole_axis
        axes = [axis.whole_s if whole else axis.seconds(one.duration_s) for one in batch.passages]
        return BatchSeen(
            calls=frozenset(one.window.call for one in batch.passages),
            passages=len(batch.passages),
            room=capacity.batch_size,
            speech_s=sum(one.duration_s for one in batch.passages),
            axis_s=sum(axes),
            begun_s=begun_s,
            took_s=time.monotonic() - begun_s,
            repeated=whole,
        )


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
            yield listener, hearer

    return started


def fill(batches: Sequence[BatchSeen]) -> dict[str, float]:
    """How full they were; nothing of none.

    `slot` is passages for each that there was room for, `window` seconds of speech for each that the model looked at.
    """
    if not batches:
        return {}
    passages = sum(one.passages for one in batches)
    return {
        "batches": len(batches),
        "mean_batch": passages / len(batches),
        "slot_fill": passages / sum(one.room for one in batches),
        "window_fill": sum(one.speech_s for one in batches) / sum(one.axis_s for one in batches),
        "mean_window_s": sum(one.speech_s for one in batches) / passages,
        "repeated": sum(one.passages for one in batches if one.repeated) / passages,
    }
