"""Says to the broker how far the group has come: now and then without waiting, at the end of an assignment with waiting.

Used by `runner` on its polling thread. A commit that is lost costs work done again, never work skipped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from pipeline.crash_points import reach
from pipeline.errors import Transient
from pipeline.stream.offsets import OffsetTracker
from pipeline.stream.ports import Consumer, TopicPartition
from pipeline.telemetry import logs

Trackers: TypeAlias = Mapping[TopicPartition, OffsetTracker]

#: Each is a request that the broker writes down. What is finished in between is done again after a crash.
_EVERY_S: Final = 0.5
#: While there is nothing to say.
_LOOK_EVERY_S: Final = 0.1
#: A commit that the broker did not confirm for so long is said again, with all that is new by then. A group that is being
#: shared out anew refuses commits, and until they are said again nothing that is done counts as done.
_CONFIRM_WITHIN_S: Final = 1.0

_log = logs.get(__name__)


class Commits:
    """What is committed, and what is said but not confirmed yet."""

    def __init__(self, consumer: Consumer, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._consumer = consumer
        self._monotonic_s = monotonic_s
        self._said_s = float("-inf")
        self._pause_s = 0.0
        self._unconfirmed: dict[TopicPartition, int] = {}

    def now_and_then(self, trackers: Trackers) -> None:
        """Commit what is new, unless that was done a moment ago. Waits for nobody; call it after every `poll`."""
        self._take_confirmations(trackers)
        now_s = self._monotonic_s()
        if now_s >= self._said_s + (_CONFIRM_WITHIN_S if self._unconfirmed else self._pause_s):
            self._say(trackers, now_s)

    def once_more(self, trackers: Trackers) -> bool:
        """Commit what is new, confirmed or not; whether there was anything new."""
        self._take_confirmations(trackers)
        self._say(trackers, self._monotonic_s())
        return bool(self._unconfirmed)

    def settle(self, trackers: Trackers) -> None:
        """Commit and wait for it: these are ours for the last moment."""
        offsets = _committable(trackers)
        if not offsets:
            return
        try:
            self._consumer.commit(offsets)
        except Transient as error:
            _log.warning("revoked_without_commit", error=str(error))
            return
        self._confirm(trackers, offsets)

    def forget(self, partitions: Iterable[TopicPartition]) -> None:
        """These are not ours any more."""
        for partition in partitions:
            self._unconfirmed.pop(partition, None)

    def _say(self, trackers: Trackers, now_s: float) -> None:
        self._unconfirmed = _committable(trackers)
        self._said_s, self._pause_s = now_s, _EVERY_S if self._unconfirmed else _LOOK_EVERY_S
        if self._unconfirmed:
            self._consumer.commit_soon(self._unconfirmed)

    def _take_confirmations(self, trackers: Trackers) -> None:
        confirmed = self._consumer.confirmed()
        for partition, position in confirmed.items():
            if self._unconfirmed.get(partition) == position:
                del self._unconfirmed[partition]
        if confirmed:
            self._confirm(trackers, confirmed)

    @staticmethod
    def _confirm(trackers: Trackers, offsets: Mapping[TopicPartition, int]) -> None:
        for partition, position in offsets.items():
            if (tracker := trackers.get(partition)) is not None:
                tracker.committed(position)
        reach("stream.committed")


def _committable(trackers: Trackers) -> dict[TopicPartition, int]:
    return {
        partition: position
        for partition, tracker in trackers.items()
        if (position := tracker.committable()) is not None
    }
