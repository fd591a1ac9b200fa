"""Outlines of recordings, for the page to draw. Called by `web.waveforms`.

A child draws them out of the recording itself, in a stream, so the browser need not decode hours of sound. What was drawn is
remembered for a while: it is a few kilobytes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from pipeline.audio import Outline, OutlineRequest
from pipeline.blobs.ports import BlobStore
from pipeline.errors import CallFault
from pipeline.isolation import ChildClosed, ChildError
from services.ingest.jobs import Job
from services.ingest.problems import NO_WAVEFORM, Problem

POINTS: Final = 2000
_REMEMBERED: Final = 500


class Waveforms:
    """Draws, and remembers. From any thread.

    Args:
        store: Where recordings lie.
        draw: As `pipeline.audio.outliner` makes it, in a limited child.
    """

    def __init__(self, store: BlobStore, draw: Callable[[OutlineRequest], Outline]) -> None:
        self._store = store
        self._draw = draw
        self._lock = threading.Lock()
        self._drawn: OrderedDict[tuple[str, str], Outline | None] = OrderedDict()

    def of(self, job: Job) -> Outline:
        """A recording's outline. Blocks.

        Raises:
            Problem: `no_waveform`: nothing could be made of it.
            BlobNotFound: It is no longer in the store.
            Transient: The store does not answer.
        """
        key = (job.audio.sha256, job.media_type)
        with self._lock:
            known = key in self._drawn
            drawn = self._drawn.get(key)
        if not known:
            drawn = self._drawn_now(job)
            with self._lock:
                self._drawn[key] = drawn
                while len(self._drawn) > _REMEMBERED:
                    self._drawn.popitem(last=False)
        if drawn is None:
            raise Problem(NO_WAVEFORM, "nothing could be made of the recording")
        return drawn

    def _drawn_now(self, job: Job) -> Outline | None:
        with self._store.local_path(job.audio.key) as path:
            try:
                return self._draw(OutlineRequest(path, job.media_type, POINTS))
            except ChildClosed:
                raise
            except (CallFault, ChildError):  # a fault of this recording: it would be the same tomorrow
                return None
