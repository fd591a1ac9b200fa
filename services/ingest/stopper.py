"""Calls off at work: puts the markers of jobs that were canceled or erased, then tells. Runs in a thread of ingest's process.

First the marker, then the event: whoever works on the job finds the marker before anybody is told that it is over. A lost
mark means the same marker and the same event once more.
"""

from __future__ import annotations

import threading
from typing import Final

from pipeline.blobs.ports import BlobStore
from pipeline.contracts import layout
from pipeline.errors import Permanent, Transient
from pipeline.stream.ports import Producer
from pipeline.stream.wire import Wire
from pipeline.telemetry import families, logs
from pipeline.telemetry.metrics import Metrics
from services.ingest.stops import Stops

BATCH: Final = 100
_FIRST_BACKOFF_S: Final = 0.25
_LONGEST_BACKOFF_S: Final = 5.0


class Stopper:
    """Puts and tells what was called off.

    Args:
        stops: What was.
        store: Where the markers go.
        producer: Where the events go.
        poll_s: How long it rests when nothing woke it.
        wire: How events are written; None: without a schema registry.
        metrics: Counts what was told.
    """

    def __init__(
        self,
        stops: Stops,
        store: BlobStore,
        producer: Producer,
        poll_s: float = 1.0,
        *,
        wire: Wire | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._stops = stops
        self._store = store
        self._producer = producer
        self._poll_s = poll_s
        self._wire = wire or Wire()
        self._metrics = metrics or Metrics()
        self._wake = threading.Event()
        self._log = logs.get(__name__)

    def wake(self) -> None:
        """Say that there is something new, or that it is time to stop. From any thread."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Step until told to stop; rest between steps, longer while a peer does not answer.

        Raises:
            Fatal: A peer refuses us.
        """
        failures = 0
        while not stop.is_set():
            self._wake.clear()
            try:
                told = self.step()
            except (Transient, Permanent) as error:
                failures += 1
                self._log.warning("stopper_waits", error=str(error), failures=failures)
                stop.wait(min(_LONGEST_BACKOFF_S, _FIRST_BACKOFF_S * 2 ** min(failures, 10)))
                continue
            failures = 0
            if told < BATCH:
                self._wake.wait(self._poll_s)

    def step(self) -> int:
        """Put and tell what is due; how many that were.

        Raises:
            Transient: A peer does not answer.
            Fatal: It refuses us.
        """
        with self._stops.turn() as turn:
            if turn is None:
                return 0
            turn.settle()
            due = turn.due(BATCH)
            for stop in due:
                for run in stop.runs:
                    key = layout.called_off_key(stop.job_id, run)
                    self._store.put(key, stop.state.encode(), media_type="text/plain")
            if due:
                self._producer.publish([self._wire.encode(stop.event) for stop in due])
                turn.mark_told(due)
        for stop in due:
            self._metrics.add(families.STOPS, state=stop.state)
            self._log.info("called_off", job_id=stop.job_id, run=stop.run, state=stop.state)
        return len(due)
