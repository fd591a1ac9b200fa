"""Whose fault is it? A cheap write and read of our own beside the event that failed, and the broker's metadata.

Called by `events` when an event failed: only if the canary lives is the failure held against the event.

A store that fails now and then is sick too, and the events that meet it are healthy. So one good answer is no proof: the
canary goes in many times in a row, and the event has to fail before and after it.
"""

from __future__ import annotations

import threading
from typing import Final

from pipeline.blobs.ports import BlobStore
from pipeline.contracts import layout
from pipeline.errors import Fatal, RazgovorError, Transient, Unavailable
from pipeline.stream.ports import Producer
from pipeline.telemetry import logs

_ROUNDS: Final = 16
_SONG: Final = b"razgovor"

_log = logs.get(__name__)


class Canary:
    """Tells whether the dependencies of a consumer group work, by trying them.

    One look at a time; whoever asks while it is under way shares the next one, so a crowd of failing events costs two or three.

    Args:
        store: Written and read under `control/canary-{group}`; never deleted, always the same bytes.
        producer: Asked for the broker's metadata.
        group: The consumer group.
    """

    def __init__(self, store: BlobStore, producer: Producer, *, group: str) -> None:
        self._store = store
        self._producer = producer
        self._key = layout.canary_key(group)
        self._lock = threading.Lock()
        self._begun = 0
        self._error: RazgovorError | None = None

    def check(self) -> None:
        """Try the dependencies; the answer comes from a look that began after this call.

        Raises:
            Unavailable: One of them does not work: it is not the event's fault.
            Fatal: The broker refuses us.
        """
        known = self._begun
        with self._lock:
            if self._begun <= known:
                self._begun += 1
                self._error = self._look()
            if self._error is not None:
                raise self._error

    def _look(self) -> RazgovorError | None:
        try:
            for _ in range(_ROUNDS):
                self._store.put(self._key, _SONG, media_type="text/plain")
                self._store.read(self._key)
            self._producer.verify()
        except Fatal as error:
            return error
        except Transient as error:
            _log.warning("canary_failed", error=str(error))
            return Unavailable(f"the canary fails too: {error}", retry_after_s=error.retry_after_s)
        except Exception as error:  # noqa: BLE001  whatever it says, it does not work; its text could say too much
            _log.warning("canary_failed", error=type(error).__name__)
            return Unavailable(f"the canary fails too: {type(error).__name__}")
        return None
