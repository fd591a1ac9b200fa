"""What scaling would see: the services' metrics endpoints, asked again and again while things break."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from rich.table import Table

from pipeline.telemetry import families
from pipeline.telemetry.reading import Reading, readings
from razgovor.chaos.crew import Crew

EVERY_S: Final = 3.0
_TIMEOUT_S: Final = 2.0
#: Shown by every replica alike, from PostgreSQL: the largest counts. Everything else is a worker's own: the sum counts.
_SHARED: Final = frozenset({families.BACKLOG_JOBS.name, families.BACKLOG_AUDIO.name})
#: What a row of the table is called, and the reading behind it.
SHOWN: Final[Mapping[str, str]] = {
    "backlog, jobs": families.BACKLOG_JOBS.name,
    "backlog, audio s": families.BACKLOG_AUDIO.name,
    "consumer lag, records": families.LAG.name,
    "engine s": f"{families.ENGINE.name.removesuffix('_total')}_total",
    "queue wait s": f"{families.QUEUE_WAIT.name}_sum",
    "waits": f"{families.QUEUE_WAIT.name}_count",
    "total latency s": f"{families.LATENCY.name}_sum",
    "jobs ended": f"{families.LATENCY.name}_count",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """What all services showed at one moment, by the names of SHOWN; `at_s` counts from the first."""

    at_s: float
    values: Mapping[str, float]


def together(shown_by: Iterable[Sequence[Reading]]) -> dict[str, float]:
    """The readings of several processes as one system's."""
    found: dict[str, float] = {}
    for shown in shown_by:
        own: dict[str, float] = {}
        for reading in shown:
            own[reading.name] = own.get(reading.name, 0.0) + reading.value
        for title, name in SHOWN.items():
            if name in own:
                value = own[name]
                found[title] = max(found.get(title, 0.0), value) if name in _SHARED else found.get(title, 0.0) + value
    return found


class Scraping:
    """Asks in a thread of its own while the context lasts.

    Args:
        crew: Whose workers are asked. Who is down shows nothing, and begins again at zero.
    """

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask_on, name="scraping", daemon=True)
        self._begun_s = time.monotonic()
        self.moments: list[Moment] = []

    def _ask_on(self) -> None:
        while not self._over.wait(EVERY_S):
            shown = [asked(worker.fact("metrics")) for worker in self._crew.workers()]
            self.moments.append(Moment(time.monotonic() - self._begun_s, together(shown)))

    def write(self, path: Path) -> None:
        """All moments, as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        document = [{"at_s": round(moment.at_s, 1), **moment.values} for moment in self.moments]
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()


def asked(url: str | None) -> list[Reading]:
    """What an endpoint shows; nothing if nobody answers."""
    if url is None:
        return []
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310  http, on loopback
            return readings(answer.read().decode())
    except (OSError, ValueError):
        return []


def as_table(moments: Sequence[Moment]) -> Table:
    """Of each metric the largest and the last reading."""
    table = Table("metric", "largest", "last", box=None, pad_edge=False)
    for title in SHOWN:
        seen = [moment.values[title] for moment in moments if title in moment.values]
        if seen:
            table.add_row(title, f"{max(seen):.1f}", f"{seen[-1]:.1f}")
    return table
