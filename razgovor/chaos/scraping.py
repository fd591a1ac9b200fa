"""What scaling would see: the services' metrics endpoints, asked again and again while things break."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from rich.table import Table

from pipeline.telemetry import families
from pipeline.telemetry.reading import Reading, readings
from razgovor.chaos.crew import Crew

EVERY_S: Final = 3.0
_TIMEOUT_S: Final = 2.0


class Sum(Enum):
    """How the readings of several workers become one."""

    #: A gauge that every replica shows alike, from PostgreSQL: the largest counts.
    SHARED = auto()
    #: A gauge of each worker's own.
    OWN = auto()
    #: Only grows, and begins again at zero with its process: what it grew by counts.
    GROWING = auto()


#: What a row of the table is called, and the reading behind it.
SHOWN: Final[Mapping[str, tuple[str, Sum]]] = {
    "backlog, jobs": (families.BACKLOG_JOBS.name, Sum.SHARED),
    "backlog, audio s": (families.BACKLOG_AUDIO.name, Sum.SHARED),
    "consumer lag, records": (families.LAG.name, Sum.OWN),
    "engine s": (f"{families.ENGINE.name.removesuffix('_total')}_total", Sum.GROWING),
    "queue wait s": (f"{families.QUEUE_WAIT.name}_sum", Sum.GROWING),
    "waits": (f"{families.QUEUE_WAIT.name}_count", Sum.GROWING),
    "total latency s": (f"{families.LATENCY.name}_sum", Sum.GROWING),
    "jobs ended": (f"{families.LATENCY.name}_count", Sum.GROWING),
}
#: What scaling needs, by service: each must show more than zero at some moment of a run in which backlogs come up.
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "ingest": ("backlog, jobs", "backlog, audio s"),
    "transcriber": ("consumer lag, records", "engine s", "queue wait s"),
    "exporter": ("consumer lag, records",),
    "ledger": ("consumer lag, records", "total latency s"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What one worker's endpoint showed; nothing if nobody answered."""

    service: str
    worker: str
    readings: Sequence[Reading]


@dataclass(frozen=True, slots=True)
class Moment:
    """What all services showed at one moment, by service and the names of SHOWN; `at_s` counts from the first."""

    at_s: float
    values: Mapping[str, Mapping[str, float]]


class Sums:
    """The readings of a service's processes as one service's. Remembers what has grown."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], float] = {}
        self._grown: dict[tuple[str, str], float] = {}

    def add(self, shown_by: Iterable[Shown]) -> dict[str, dict[str, float]]:
        """What they show together now, by service. Who is down now has grown all the same."""
        found: dict[str, dict[str, float]] = {}
        for shown in shown_by:
            values = found.setdefault(shown.service, {})
            for title, (name, kind) in SHOWN.items():
                own = [reading.value for reading in shown.readings if reading.name == name]
                if kind is Sum.GROWING:
                    self._grow(shown, title, own)
                elif own:
                    so_far = values.get(title, 0.0)
                    values[title] = max(so_far, sum(own)) if kind is Sum.SHARED else so_far + sum(own)
        for (service, title), value in self._grown.items():
            found.setdefault(service, {})[title] = value
        return found

    def _grow(self, shown: Shown, title: str, own: Sequence[float]) -> None:
        if own:
            now, before = sum(own), self._last.get((shown.worker, title), 0.0)
            self._last[shown.worker, title] = now
            grown = now - before if now >= before else now
            self._grown[shown.service, title] = self._grown.get((shown.service, title), 0.0) + grown


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
        self._sums = Sums()
        self.moments: list[Moment] = []

    def _ask_on(self) -> None:
        while not self._over.wait(EVERY_S):
            shown = [
                Shown(worker.service, worker.name, asked(worker.fact("metrics"))) for worker in self._crew.workers()
            ]
            self.moments.append(Moment(time.monotonic() - self._begun_s, self._sums.add(shown)))

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


def never_shown(moments: Sequence[Moment]) -> tuple[str, ...]:
    """What of NEEDED no endpoint ever showed, or never above zero, in words."""
    return tuple(
        f"metrics: {service} never showed any {title}"
        for service, titles in NEEDED.items()
        for title in titles
        if not any(moment.values.get(service, {}).get(title, 0.0) > 0 for moment in moments)
    )


def as_table(moments: Sequence[Moment]) -> Table:
    """Of each metric and service the largest and the last reading; of what grows there is but the last."""
    table = Table("metric", "service", "largest", "last", box=None, pad_edge=False)
    for title, (_, kind) in SHOWN.items():
        for service in sorted({service for moment in moments for service in moment.values}):
            seen = [moment.values[service][title] for moment in moments if title in moment.values.get(service, {})]
            if seen:
                largest = "" if kind is Sum.GROWING else f"{max(seen):.1f}"
                table.add_row(title, service, largest, f"{seen[-1]:.1f}")
    return table
