"""Our arm as a library: what the service does with a call, without a broker or a store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.transcriber.arms import Platform
from bench.transcriber.watching import Book, fill, watched_children
from pipeline.contracts.transcript import Transcript
from razgovor.local_transcriber import local_transcriber, settings


class Library:
    """Front end, engine and handler in one worker, no broker and no store."""

    def __init__(self, platform: Platform) -> None:
        self._open = ExitStack()
        self._book = Book()
        self._transcriber = self._open.enter_context(
            local_transcriber(settings(**platform.told), children=watched_children(self._book))
        )

    def hear(self, paths: Iterable[Path]) -> Iterator[tuple[Path, Transcript]]:
        """Each recording as it is done."""
        for heard in self._transcriber.hear(paths):
            if heard.transcript is None:
                raise SystemExit(f"{heard.path.name}: {heard.reason}")
            yield heard.path, heard.transcript

    def fill(self) -> dict[str, float]:
        """How full the batches were since the last time."""
        return fill(self._book.take())

    def close(self) -> None:
        """End front end and engine."""
        self._open.close()
