"""Threads of ingest's process that it cannot do without. Called by `__main__`."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pipeline.errors import Fatal, RazgovorError


class Worker:
    """A thread whose end, good or bad, ends the process."""

    def __init__(self, name: str, work: Callable[[], None], stop: threading.Event) -> None:
        self.error: Exception | None = None
        self._work = work
        self._stop = stop
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001  told to the main thread, which ends the process with it
            self.error = error
        finally:
            self._stop.set()

    def tell(self) -> None:
        """Raise what it failed with, if it failed."""
        if isinstance(self.error, RazgovorError):  # it says by itself what it is
            raise self.error
        if self.error is not None:
            raise Fatal(f"{self.thread.name} failed: {type(self.error).__name__}") from self.error
