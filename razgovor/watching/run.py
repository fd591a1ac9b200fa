"""Runs watchers in the foreground: threads, signals, and a table of how they go on. The rest is ingest's."""

from __future__ import annotations

import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipeline import service
from pipeline.telemetry import logs
from pipeline.telemetry.metrics import Metrics
from services.ingest.settings import WatchSettings
from services.ingest.watching.configuration import configuration
from services.ingest.watching.ports import LookFacts
from services.ingest.watching.rounds import Progress
from services.ingest.watching.running import backfill, chosen, watching_alone
from services.ingest.watching.watcher import Watcher

_REFRESH_S: Final = 0.5
_LINE_EVERY_S: Final = 10.0
#: A file under way is brought to its end.
_DRAIN_S: Final = 10.0
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class _Board:
    """What every watcher last told; written by its thread, shown by ours."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[str, Progress] = {}

    def tell(self, name: str, progress: Progress) -> None:
        with self._lock:
            self._told[name] = replace(progress)

    def table(self) -> Table:
        shown = Table("watcher", "found", "taken", "refused", "waiting", "seen before", "", box=None, pad_edge=False)
        with self._lock:
            for name, one in sorted(self._told.items()):
                counts = (one.found, one.taken, one.refused, one.waiting, one.passed)
                shown.add_row(name, *(str(count) for count in counts), one.paused or "")
        return shown

    def line(self, name: str) -> str:
        with self._lock:
            one = self._told.get(name, Progress())
        counts = f"{one.found} found, {one.taken} taken, {one.refused} refused, {one.waiting} waiting"
        return f"{name}: {counts}, {one.passed} seen before"


def run_watchers(watch_file: Path, only: str | None) -> None:
    """Watch until Ctrl-C or SIGTERM.

    Raises:
        ConfigurationFault: The file cannot be used.
        Transient: Store or database do not answer at the start.
        Fatal: They refuse us.
    """
    board = _Board()
    with _told_to_stop() as stop, _opened(watch_file, only, board.tell, bulk=False) as watchers:
        threads = [threading.Thread(target=watcher.run, args=(stop,), daemon=True) for watcher in watchers]
        for thread in threads:
            thread.start()
        _show(board, watchers, stop)
        deadline_s = time.monotonic() + _DRAIN_S
        for thread in threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))


def run_backfill(watch_file: Path, only: str | None, first: date, last: date) -> Mapping[str, LookFacts]:
    """Take what lies in the folders of these days, one watcher after the other.

    Returns:
        What each found in the end, by its name.

    Raises:
        ConfigurationFault, LayoutError, Transient, Fatal: As of `run_watchers`, and of a span that is none.
    """
    board, found = _Board(), dict[str, LookFacts]()
    console = Console(highlight=False)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with _told_to_stop() as stop, Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task("looking")

        def tell(name: str, progress: Progress) -> None:
            board.tell(name, progress)
            bars.update(task, description=board.line(name))

        with _opened(watch_file, only, tell, bulk=True) as watchers:
            for watcher in watchers:
                found[watcher.name] = backfill(watcher, first, last, stop)
    for name, facts in found.items():
        console.print(board.line(name) + (f"; {facts.fault}" if facts.fault else ""), soft_wrap=True)
    return found


@contextmanager
def _opened(
    watch_file: Path, only: str | None, tell: Callable[[str, Progress], None], *, bulk: bool
) -> Iterator[list[Watcher]]:
    wanted = chosen(configuration(watch_file), only, bulk=bulk)
    settings = service.load(WatchSettings)
    logs.configure("watch", settings.log_level)
    with watching_alone(settings, wanted, Metrics("watch"), new_id=lambda: str(uuid.uuid4()), tell=tell) as watchers:
        yield watchers


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set; set in the end, whatever comes."""
    stop = threading.Event()
    before = {wanted: signal.signal(wanted, lambda _signal, _frame: stop.set()) for wanted in _SIGNALS}
    try:
        yield stop
    finally:
        stop.set()
        for wanted, handler in before.items():
            signal.signal(wanted, handler)


def _show(board: _Board, watchers: list[Watcher], stop: threading.Event) -> None:
    """A table that goes on, or a line now and then where nobody looks."""
    console = Console(highlight=False)
    if console.is_terminal:
        with Live(board.table(), console=console) as live:
            while not stop.wait(_REFRESH_S):
                live.update(board.table())
        return
    shown: dict[str, str] = {}
    while not stop.wait(_LINE_EVERY_S):
        lines = {watcher.name: board.line(watcher.name) for watcher in watchers}
        for name, line in lines.items():
            if shown.get(name) != line:
                console.print(line, soft_wrap=True)
        shown = lines
