"""The consumer's loop: poll, hand out, track, commit. The only room that stores offsets.

`services.*.__main__` constructs it with a `process` function (`stream.events.EventProcessor`, the ledger's batches).
The polling thread does no work of its own, so the group membership lives however long a call takes.

    process returns      done: the offset may pass
    process -> Transient the same messages again after a pause, polling goes on, for as long as it takes
    process -> Fatal     the loop ends, offsets untouched
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final

from pipeline.errors import RazgovorError, Transient
from pipeline.stream.offsets import OffsetTracker
from pipeline.stream.ports import Consumer, Message, TopicPartition
from pipeline.telemetry import logs

Process = Callable[[Sequence[Message]], None]

_POLL_S: Final = 0.2
_LONGEST_BACKOFF_S: Final = 30.0

_log = logs.get(__name__)


class _Abandoned(RazgovorError):
    """The work was waiting for a dependency when the drain's deadline came; its offset stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is held at once.

    Attributes:
        max_in_flight: Batches worked on side by side, each in a thread of its own.
        batch_max: Messages handed to one call of `process`.
        first_backoff_s: The first pause after Transient; it doubles up to 30 s, with jitter.
        drain_timeout_s: How long a drain waits for work in flight.
    """

    max_in_flight: int = 1
    batch_max: int = 1
    first_backoff_s: float = 0.5
    drain_timeout_s: float = 8.0


class Runner:
    """Runs `process` over a consumer until it is told to stop."""

    def __init__(
        self, consumer: Consumer, topics: Sequence[str], process: Process, limits: Limits, beat: Callable[[], None]
    ) -> None:
        """`beat` is called on every turn of the loop: the sign of life."""
        self._consumer = consumer
        self._topics = topics
        self._process = process
        self._limits = limits
        self._beat = beat
        self._trackers: dict[TopicPartition, OffsetTracker] = {}
        self._work: dict[Future[None], list[tuple[OffsetTracker, Message]]] = {}
        self._paused = False
        self._abandon = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Poll and work until `stop` is set, then drain.

        Raises:
            Fatal: As `process` or the consumer said.
        """
        pool = ThreadPoolExecutor(self._limits.max_in_flight, thread_name_prefix="work")
        try:
            self._consumer.subscribe(self._topics, self._assigned, self._revoked)
            while not stop.is_set():
                self._beat()
                self._turn(pool)
            self._drain()
        finally:
            self._abandon.set()
            self._consumer.close()
            pool.shutdown(wait=False, cancel_futures=True)

    def _turn(self, pool: ThreadPoolExecutor) -> None:
        room = self._limits.max_in_flight - len(self._work)
        if room == 0:
            wait(self._work, timeout=_POLL_S, return_when=FIRST_COMPLETED)
        self._settle()
        self._hold_back(full=len(self._work) >= self._limits.max_in_flight)
        try:
            room = self._limits.max_in_flight - len(self._work)
            timeout_s = 0.0 if room == 0 else 0.05 if self._work else _POLL_S
            messages = self._consumer.poll(timeout_s, max(1, room) * self._limits.batch_max)
            self._hand_out(pool, messages)
            self._commit(self._trackers)
        except Transient as error:
            _log.warning("broker_away", error=str(error))
            self._abandon.wait(self._limits.first_backoff_s)

    def _hold_back(self, *, full: bool) -> None:
        if full == self._paused:
            return
        self._paused = full
        if full:
            self._consumer.pause(list(self._trackers))
        else:
            self._consumer.resume(list(self._trackers))

    def _hand_out(self, pool: ThreadPoolExecutor, messages: Sequence[Message]) -> None:
        for first in range(0, len(messages), self._limits.batch_max):
            batch = messages[first : first + self._limits.batch_max]
            tracked = [(self._trackers[message.topic_partition], message) for message in batch]
            for tracker, message in tracked:
                tracker.start(message.offset)
            self._work[pool.submit(self._until_done, batch)] = tracked

    def _until_done(self, batch: Sequence[Message]) -> None:
        backoff_s = self._limits.first_backoff_s
        while True:
            try:
                self._process(batch)
            except Transient as error:
                pause_s = max(error.retry_after_s, backoff_s * random.uniform(0.5, 1.0))  # noqa: S311  jitter
                _log.warning("waiting", error=str(error), pause_s=round(pause_s, 2))
                if self._abandon.wait(pause_s):
                    raise _Abandoned from error
                backoff_s = min(backoff_s * 2, _LONGEST_BACKOFF_S)
            else:
                return

    def _settle(self) -> None:
        for future in [future for future in self._work if future.done()]:
            tracked = self._work.pop(future)
            try:
                future.result()
            except _Abandoned:
                continue
            for tracker, message in tracked:
                tracker.finish(message.offset)

    def _commit(self, trackers: dict[TopicPartition, OffsetTracker]) -> None:
        offsets = {
            partition: position
            for partition, tracker in trackers.items()
            if (position := tracker.committable()) is not None
        }
        if offsets:
            self._consumer.commit(offsets)
            for partition, position in offsets.items():
                trackers[partition].committed(position)

    def _assigned(self, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            self._trackers[partition] = OffsetTracker()
        if self._paused:
            self._consumer.pause(partitions)

    def _revoked(self, partitions: Sequence[TopicPartition]) -> None:
        # What is finished is committed; what is in flight goes on and is published, but its offset is the next owner's.
        self._settle()
        gone = {partition: self._trackers.pop(partition) for partition in partitions if partition in self._trackers}
        try:
            self._commit(gone)
        except Transient as error:
            _log.info("revoked_without_commit", error=str(error))

    def _drain(self) -> None:
        _log.info("draining", in_flight=len(self._work))
        wait(self._work, timeout=self._limits.drain_timeout_s)
        self._settle()
        try:
            self._commit(self._trackers)
        except Transient as error:
            _log.warning("drained_without_commit", error=str(error))
