"""The fuse: a wrong deployment must not empty a topic into its DLQ.

More than 20 of the last 200 records put aside, so also more than 20 in a row, and it blows: a marker lies in the store,
and every consumer of the group lives, is paused and unready while it is there, over restarts and over replicas.
`razgovor dlq resume` removes the marker, and all go on by themselves.

`dead_letters` asks and tells it; `events` and the ledger take nothing while it has blown; a thread of `__main__`'s looks
at the marker, so that no other thread waits for the store. Known faults of calls are never told to it.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pipeline.blobs.ports import BlobStore
from pipeline.contracts import layout
from pipeline.errors import RazgovorError, Unavailable
from pipeline.telemetry import families, logs
from pipeline.telemetry.metrics import Metrics

#: How often the marker is looked at: one small question to the store.
LOOK_EVERY_S: Final = 5.0
_RETRY_AFTER_S: Final = 2.0

_log = logs.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FuseLimits:
    """At most `aside_max` of the last `window` records may go to the DLQ."""

    aside_max: int = 20
    window: int = 200


class Fuse:
    """One consumer group's fuse, as one process of it sees it.

    Args:
        store: Where the marker lies.
        group: The consumer group.
        clock: The time, for the marker.
        tell: Told `fused` or `ready` on every change: for the status file.
        limits: What blows it.
        metrics: Shows it.
    """

    def __init__(
        self,
        store: BlobStore,
        *,
        group: str,
        clock: Callable[[], datetime],
        tell: Callable[[str], None] = lambda _state: None,
        limits: FuseLimits | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._store = store
        self._group = group
        self._key = layout.fuse_key(group)
        self._clock = clock
        self._tell = tell
        self._limits = limits or FuseLimits()
        self._lock = threading.Lock()
        self._recent: deque[str | None] = deque(maxlen=self._limits.window)  # the reason of what was put aside
        self._blown = False
        self._unwritten: bytes | None = None  # the marker, while the store did not take it
        self._blows = 0
        self._metrics = metrics or Metrics()
        self._metrics.set(families.FUSE, 0, group=group)

    @property
    def blown(self) -> bool:
        """Whether it has blown, as far as this process knows."""
        return self._blown

    def check(self) -> None:
        """Go on only while it is whole.

        Raises:
            Unavailable: It has blown.
        """
        if self._blown:
            raise Unavailable(f"the fuse of {self._group} has blown", retry_after_s=_RETRY_AFTER_S)

    def passed(self) -> None:
        """A record went through as it should."""
        with self._lock:
            self._recent.append(None)

    def require_room(self) -> None:
        """Ask before a record is put aside; one too many blows the fuse instead.

        Raises:
            Unavailable: It has blown; the record is held.
        """
        with self._lock:
            self.check()
            aside = [reason for reason in self._recent if reason is not None]
            # The oldest makes room for this one.
            leaves = len(self._recent) == self._limits.window and self._recent[0] is not None
            full = len(aside) - leaves >= self._limits.aside_max
            if full:
                self._blow(Counter(aside))
        if full:
            self._write()
            self.check()

    def put_aside(self, reason: str) -> None:
        """A record was put aside, for this reason."""
        with self._lock:
            self._recent.append(reason)

    def look(self) -> None:
        """See whether the marker is there; put it there if the store did not take it before.

        Raises:
            Transient: The store does not answer.
        """
        blows = self._blows
        if self._unwritten is not None:
            self._write()
            return
        there = self._store.stat(self._key) is not None
        with self._lock:
            if self._blows == blows:  # else it has blown since we asked
                self._set(blown=there)

    def watch(self, stop: threading.Event) -> None:
        """Look again and again until told to stop. For a thread of its own."""
        while not stop.wait(LOOK_EVERY_S):
            with suppress(RazgovorError):  # the store is away: as it was, then
                self.look()

    def _blow(self, reasons: Counter[str]) -> None:
        self._blows += 1
        marker = {
            "group": self._group,
            "blown_at": self._clock().isoformat(),
            "put_aside": reasons.total(),
            "of_the_last": len(self._recent),
            "reasons": dict(reasons.most_common()),
        }
        self._unwritten = json.dumps(marker).encode()
        _log.critical("fuse_blown", **marker)
        self._set(blown=True)

    def _write(self) -> None:
        marker = self._unwritten
        if marker is None:
            return
        try:
            self._store.put(self._key, marker, media_type="application/json")
        except RazgovorError as error:
            _log.error("fuse_marker_not_written", group=self._group, error=str(error))
        else:
            self._unwritten = None

    def _set(self, *, blown: bool) -> None:
        if blown == self._blown:
            return
        if not blown:
            _log.warning("fuse_replaced", group=self._group)
            self._recent.clear()
        elif self._unwritten is None:
            _log.critical("fuse_found_blown", group=self._group)
        self._blown = blown
        self._metrics.set(families.FUSE, int(blown), group=self._group)
        self._tell("fused" if blown else "ready")
