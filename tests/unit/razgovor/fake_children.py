"""Fakes in place of the transcriber's children, for whoever hears files of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from services.transcriber.batching import Watch
from services.transcriber.fakes import FakeFrontEnd
from services.transcriber.ports import Engine, FrontEnd, StillWanted
from services.transcriber.settings import TranscriberSettings


class Children:
    """Fakes in place of the children; `settings` tells how they were started, `closed` whether they were let go of."""

    def __init__(self, engine: Engine, front_end: FrontEnd | None = None) -> None:
        self._engine = engine
        self._front_end = front_end or FakeFrontEnd()
        self.closed = False
        self.settings: list[TranscriberSettings] = []

    @contextmanager
    def __call__(
        self, settings: TranscriberSettings, _wanted: StillWanted, _watch: Watch, /
    ) -> Iterator[tuple[FrontEnd, Engine]]:
        self.settings.append(settings)
        yield self._front_end, self._engine
        self.closed = True
