"""What waits, measured in PostgreSQL, for whoever scales the workers. Runs in a thread of ingest's process.

Only PostgreSQL knows it: the log holds a bounded part of it, and a consumer that is not there reports nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from pipeline.errors import RazgovorError
from pipeline.telemetry import families, logs
from pipeline.telemetry.metrics import Metrics

EVERY_S: Final = 10.0
#: However long a backlog takes to measure, measuring takes at most this part of the time.
_SHARE_MAX: Final = 0.05

_log = logs.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Jobs of one priority and state that are not terminal.

    Attributes:
        state: `waiting` in the outbox, or `announced`.
        audio_s: Their declared durations; a recording whose header does not tell counts 0.
        oldest_s: Since the oldest was accepted, by PostgreSQL's clock.
    """

    priority: str
    state: str
    jobs: int
    audio_s: float
    oldest_s: float


class Backlog(Protocol):
    """Knows what waits."""

    def measure(self) -> Sequence[Waiting]:
        """All of it; what is not named is empty.

        Raises:
            Transient: The database does not answer.
            Permanent: It does not do what it should.
        """


class BacklogGauge:
    """Shows the backlog, measured again and again.

    Args:
        backlog: Knows it.
        metrics: Where it is shown; while the database is away, as it was.
        monotonic_s: A clock that never goes back.
    """

    def __init__(self, backlog: Backlog, metrics: Metrics, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._backlog = backlog
        self._metrics = metrics
        self._monotonic_s = monotonic_s

    def run(self, stop: threading.Event) -> None:
        """Measure until told to stop."""
        rest_s = 0.0
        while not stop.wait(rest_s):
            rest_s = self.step()

    def step(self) -> float:
        """Measure once.

        Returns:
            How long to rest.
        """
        started_s = self._monotonic_s()
        try:
            with self._metrics.call("database", "measure_backlog"):
                found = self._backlog.measure()
        except RazgovorError as error:
            _log.warning("backlog_not_measured", error=str(error))
        else:
            self._show(found)
        return max(EVERY_S, (self._monotonic_s() - started_s) / _SHARE_MAX)

    def _show(self, found: Sequence[Waiting]) -> None:
        by_labels = {(one.priority, one.state): one for one in found}
        self._metrics.replace(families.BACKLOG_JOBS, {labels: one.jobs for labels, one in by_labels.items()})
        self._metrics.replace(families.BACKLOG_AUDIO, {labels: one.audio_s for labels, one in by_labels.items()})
        self._metrics.replace(families.BACKLOG_AGE, {labels: one.oldest_s for labels, one in by_labels.items()})
