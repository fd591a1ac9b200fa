"""The expirer: deletes recordings and transcripts that were kept as long as their client agreed, each by its own rule.

Called by `__main__` in a thread of its own. What is due is written down first, so that from then on nobody is given it, and
a ledger that dies in the middle leaves it to the next sweep. Usage, figures and times stay.
"""

from __future__ import annotations

import threading
from typing import Final

from pipeline.blobs.ports import BlobStore
from pipeline.contracts import layout
from pipeline.errors import RazgovorError
from pipeline.telemetry import families, logs
from pipeline.telemetry.metrics import Metrics
from services.ledger.ports import AUDIO, Expiry, Retention, RetentionTurn

BATCH: Final = 500
_FIRST_SWEEP_S: Final = 30.0


class Expirer:
    """Sweeps what is kept no longer.

    Args:
        store: What is deleted from.
        retention: What is kept how long.
        metrics: What is counted with.
    """

    def __init__(self, store: BlobStore, retention: Retention, metrics: Metrics) -> None:
        self._store = store
        self._retention = retention
        self._metrics = metrics
        self._log = logs.get(__name__)

    def run(self, stop: threading.Event, every_s: float) -> None:
        """Sweep now and then, until told to stop; what fails is logged and done again the next time."""
        pause_s = min(_FIRST_SWEEP_S, every_s)
        while not stop.wait(pause_s):
            pause_s = every_s
            try:
                self.sweep(stop)
            except RazgovorError as error:
                self._log.warning("expiring_waits", error=str(error))

    def sweep(self, stop: threading.Event | None = None) -> int | None:
        """Delete all that is due; how many recordings and transcripts that were. None: another one sweeps.

        Raises:
            Transient: Store or database do not answer; what was done holds.
            Fatal: They refuse us.
        """
        with self._retention.turn() as turn:
            if turn is None:
                return None
            expired = self._finish(turn, stop)
            for rule in turn.rules():
                for job_ids in turn.due(rule, BATCH):
                    turn.begin(job_ids, rule.what)
                    expired += self._finish(turn, stop)
                    if stop is not None and stop.is_set():
                        return expired
        return expired

    def _finish(self, turn: RetentionTurn, stop: threading.Event | None) -> int:
        done = 0
        while begun := turn.begun(BATCH):
            for expiry in begun:
                if stop is not None and stop.is_set():
                    return done
                objects = self._delete(expiry)
                turn.finish(expiry, objects)
                self._metrics.add(families.EXPIRED_OBJECTS, objects, what=expiry.what)
                self._log.info("expired", job_id=expiry.job_id, what=expiry.what, objects=objects)
                done += 1
        return done

    def _delete(self, expiry: Expiry) -> int:
        keys = [
            found.key
            for found in self._store.list(layout.job_prefix(expiry.job_id))
            if _is_of(found.key, expiry) and not found.key.endswith(f"/{layout.CALLED_OFF_NAME}")
        ]
        for key in keys:
            self._store.delete(key)
        return len(keys)


def _is_of(key: str, expiry: Expiry) -> bool:
    """The recording is one object; all else of a job, also who spoke, is kept as long as its text."""
    return (key == layout.audio_key(expiry.job_id)) == (expiry.what == AUDIO)
