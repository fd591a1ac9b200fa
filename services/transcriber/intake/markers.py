"""Start markers in the store. Used by `calls`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.blobs.ports import BlobStore
from pipeline.contracts import layout
from pipeline.contracts.events import AudioUploaded
from pipeline.crash_points import reach
from pipeline.errors import RazgovorError
from pipeline.telemetry import logs

_MEDIA_TYPE: Final = "text/plain"
_BODY: Final = b"razgovor"
#: How long a worker that leaves waits for the store to take what it releases.
_LEAVING_S: Final = 1.5

_log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Start:
    """One start on a run."""

    job_id: str
    run: int
    number: int

    @property
    def call(self) -> str:
        """The run it is of."""
        return call_name(self.job_id, self.run)


def call_name(job_id: str, run: int) -> str:
    """What a run is called among calls under way."""
    return f"{job_id}/{run}"


class Markers:
    """Puts and lists the markers of runs."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store

    def names(self, event: AudioUploaded) -> list[str]:
        """What lies under the run's prefix, markers and results, by name. One listing.

        Raises:
            Transient: The store does not answer.
        """
        prefix = layout.run_prefix(event.job_id, event.run)
        return [blob.key.removeprefix(prefix) for blob in self._store.list(prefix)]

    def begin(self, start: Start) -> None:
        """Say that work begins.

        Raises:
            Transient: The store does not answer.
        """
        self._put(layout.start_key(start.job_id, start.run, start.number))
        reach("transcriber.start_marked")

    def release(self, start: Start) -> bool:
        """Say that a start is over and was no crash; whether the store took it. Raises nothing."""
        try:
            self._put(layout.start_released_key(start.job_id, start.run, start.number))
        except RazgovorError as error:
            # It will be taken for a crash: more care with this call than it needs, nothing worse.
            _log.warning("start_not_released", job_id=start.job_id, run=start.run, error=str(error))
            return False
        reach("transcriber.start_released")
        return True

    def release_all(self, starts: Sequence[Start]) -> None:
        """Release side by side, and wait no longer than a worker that leaves may."""
        until_s = time.monotonic() + _LEAVING_S
        threads = [threading.Thread(target=self.release, args=(start,), daemon=True) for start in starts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def live(self, beats: Iterable[tuple[Start, int]]) -> None:
        """Put signs of life, each with its number. Raises nothing: one that is missed is followed by another."""
        for start, beat in beats:
            try:
                self._put(layout.start_alive_key(start.job_id, start.run, start.number, beat))
            except RazgovorError as error:
                _log.info("sign_of_life_missed", job_id=start.job_id, run=start.run, error=str(error))

    def _put(self, key: str) -> None:
        self._store.put(key, _BODY, media_type=_MEDIA_TYPE)
