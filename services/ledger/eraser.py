"""The janitor's other half: deletes what was ordered to be erased, at once, and what came late, for a day.

Ingest calls off every run of the job before it says `erased`, so only what was under way at that moment can still be put.
Called by `__main__` in a thread of its own. The markers that call runs off stay until the last look: whoever takes an
old event meanwhile finds them.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Final

from pipeline.blobs.ports import BlobStore
from pipeline.contracts import layout
from pipeline.errors import RazgovorError
from pipeline.telemetry import families, logs
from pipeline.telemetry.metrics import Metrics
from services.ledger.ports import Erasure, Erasures

#: How long late results are looked for.
WATCHED: Final = timedelta(hours=24)
_FIRST_PAUSE_S: Final = 5.0
#: What comes late comes soon: each pause is four times the one before, up to this.
_LONGEST_PAUSE_S: Final = 3600.0
#: Far less than this takes a batch; whoever died over one has it done again then.
_LEASE: Final = timedelta(minutes=1)
BATCH: Final = 20


class Eraser:
    """Erases what was ordered.

    Args:
        store: What is deleted from.
        erasures: What was ordered.
        metrics: What is counted with.
    """

    def __init__(self, store: BlobStore, erasures: Erasures, metrics: Metrics) -> None:
        self._store = store
        self._erasures = erasures
        self._metrics = metrics
        self._log = logs.get(__name__)

    def run(self, stop: threading.Event, every_s: float) -> None:
        """Erase until told to stop; what fails is logged and done again."""
        while not stop.wait(every_s):
            try:
                self.step()
            except RazgovorError as error:
                self._log.warning("erasing_waits", error=str(error))

    def step(self) -> int:
        """Do what is due; how many jobs that were.

        Raises:
            Transient: Store or database do not answer; what was marked holds.
            Fatal: They refuse us.
        """
        due = self._erasures.claim(WATCHED, _LEASE, BATCH)
        for erasure in due:
            objects = self._delete(erasure)
            self._erasures.mark_swept(erasure, objects, pause_after(erasure.sweeps))
            self._metrics.add(families.ERASED_OBJECTS, objects)
            self._log.info("erased", job_id=erasure.job_id, objects=objects, sweep=erasure.sweeps + 1)
        return len(due)

    def _delete(self, erasure: Erasure) -> int:
        keys = [
            found.key
            for found in self._store.list(layout.job_prefix(erasure.job_id))
            if erasure.last or not found.key.endswith(f"/{layout.CALLED_OFF_NAME}")
        ]
        for key in keys:
            self._store.delete(key)
        return len(keys)


def pause_after(sweeps: int) -> timedelta:
    """How long to wait after so many looks and one more."""
    return timedelta(seconds=min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 4 ** min(sweeps, 10)))
