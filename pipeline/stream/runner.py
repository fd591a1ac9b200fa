"""The consumer's loop: poll, hand out, track, commit. The only room that stores offsets.

`services.*.__main__` constructs it with a `process` function (`stream.events.EventProcessor`, the ledger's batches).
The polling thread does no work of its own and waits for nobody, so the group membership lives however long a call takes:
`workers` does the work, `work_queue` stands between. What failures mean here: see `workers`.

Partitions come and go while work is under way. What is finished when one is revoked is committed; what waits is dropped;
what has begun ends and is published, but moves no offset any more: that is the next owner's.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipeline.crash_points import reach
from pipeline.errors import Fatal, Transient
from pipeline.stream.commits import Commits
from pipeline.stream.custody import Carefree, Custody
from pipeline.stream.delays import Delays
from pipeline.stream.offsets import OffsetTracker
from pipeline.stream.ports import Consumer, Message, TopicPartition
from pipeline.stream.work_queue import Item, WorkQueue
from pipeline.stream.workers import Process, Workers
from pipeline.telemetry import families, logs
from pipeline.telemetry.metrics import Metrics

__all__ = ["Limits", "Process", "Runner"]

_POLL_S: Final = 0.1
#: How long a runner that leaves waits for its last commit.
_LAST_COMMIT_S: Final = 1.0
#: Records held at once, in rounds of what is worked on: one in work, one that waits, the rest postponed. As many as the relay
#: announces ahead (20 for each slot), and some: so what is urgent is seen however much of what is postponed lies before it.
_ROUNDS_HELD: Final = 24

_log = logs.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is held at once.

    Attributes:
        max_in_flight: Batches worked on side by side, each in a thread of its own. As much again waits its turn.
        batch_max: Messages handed to one call of `process`.
        first_backoff_s: The first pause after Transient; it doubles up to 10 s, with jitter.
        drain_timeout_s: How long a drain waits for work in flight.
        delays_s: Topics whose records are done so many seconds after their timestamp; others flow meanwhile.
    """

    max_in_flight: int = 1
    batch_max: int = 1
    first_backoff_s: float = 0.5
    drain_timeout_s: float = 6.0
    delays_s: Mapping[str, float] = field(default_factory=dict)


class Runner:
    """Runs `process` over a consumer until it is told to stop."""

    def __init__(
        self,
        consumer: Consumer,
        topics: Sequence[str],
        process: Process,
        limits: Limits,
        beat: Callable[[], None],
        *,
        custody: Custody | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """`beat` is called on every turn of the loop: the sign of life. `custody` is told of work that changes hands."""
        self._metrics = metrics or Metrics()
        self._metrics.set(families.SLOTS, limits.max_in_flight * limits.batch_max)
        self._metrics.start_at_zero(families.IN_FLIGHT, families.PAUSES)
        self._consumer = consumer
        self._topics = topics
        self._limits = limits
        self._beat = beat
        self._custody = custody or Carefree()
        self._queue = WorkQueue(limits.batch_max)
        self._workers = Workers(self._queue, process, self._custody, limits.first_backoff_s, self._metrics)
        self._delays = Delays(limits.delays_s, time.time, time.monotonic)
        self._trackers: dict[TopicPartition, OffsetTracker] = {}
        self._paused: frozenset[TopicPartition] = frozenset()
        self._room = limits.max_in_flight * limits.batch_max
        self._full = False
        self._leaving = False
        self._commits = Commits(consumer)
        self._rest = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Poll and work until `stop` is set, then drain.

        Raises:
            Fatal: As `process` or the consumer said, or `process` raised what nobody foresaw.
        """
        self._workers.start(self._limits.max_in_flight)
        try:
            self._consumer.subscribe(self._topics, self._assigned, self._revoked, self._lost)
            while not stop.is_set():
                self._beat()
                self._turn()
            self._drain()
        finally:
            self._hand_over()
            self._consumer.close()

    def _turn(self) -> None:
        self._queue.check()
        self._settle()
        self._metrics.set(families.IN_FLIGHT, len(self._queue.in_work()))
        self._queue.add(self._delays.due())
        poll_s = self._make_room()
        try:
            self._pause()
            self._hand_out(self._consumer.poll(poll_s, max(1, self._room - self._queue.waiting())))
            self._commits.now_and_then(self._trackers)
        except Transient as error:
            _log.warning("broker_away", error=str(error))
            self._rest.wait(self._limits.first_backoff_s)

    def _make_room(self) -> float:
        """Find out whether we are full, wait a moment if so; how long the poll that follows may wait."""
        half, poll_s = self._room // 2 + 1, _POLL_S
        enough = self._queue.waiting() >= (half if self._full else self._room)
        if enough:
            # Half of it has to go before more is taken: pausing throws away what the client has fetched ahead.
            enough = not self._queue.await_waiting_below(half, _POLL_S)
            poll_s = 0.0
        self._full = enough or self._queue.held() >= _ROUNDS_HELD * self._room
        return poll_s

    def _pause(self) -> None:
        wanted = frozenset(self._trackers) if self._full else self._delays.partitions
        if stopping := wanted - self._paused:
            self._consumer.pause(sorted(stopping))
        if going_on := self._paused - wanted:
            self._consumer.resume(sorted(going_on))
        self._paused = wanted

    def _hand_out(self, messages: Sequence[Message]) -> None:
        items: list[Item] = []
        for topic, count in Counter(message.topic for message in messages).items():
            self._metrics.add(families.RECORDS, count, topic=topic)
        for message in messages:
            tracker = self._trackers.get(message.topic_partition)
            if tracker is not None:
                tracker.start(message.offset)
                items.append(Item(message, tracker))
        if items:
            reach("stream.handed_out")
            self._queue.add(self._delays.sift(items))

    def _settle(self) -> None:
        for item in self._queue.finished():
            item.tracker.finish(item.message.offset)

    def _assigned(self, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            self._trackers[partition] = OffsetTracker()

    def _revoked(self, partitions: Sequence[TopicPartition]) -> None:
        self._settle()
        if not self._leaving:
            self._commits.settle({log: self._trackers[log] for log in partitions if log in self._trackers})
        self._lost(partitions)

    def _lost(self, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            if (tracker := self._trackers.pop(partition, None)) is not None:
                tracker.over = True
        self._commits.forget(partitions)
        self._paused -= frozenset(partitions)
        self._delays.drop_disowned()
        if disowned := self._queue.drop_disowned():
            self._custody.disowned([item.message for item in disowned])

    def _drain(self) -> None:
        """Wait for what has begun, polling on: other members need us to answer when partitions move."""
        self._queue.stop()
        self._custody.draining()
        _log.info("draining", in_flight=len(self._queue.in_work()))
        until_s = time.monotonic() + self._limits.drain_timeout_s
        self._full = True
        while time.monotonic() < until_s and not self._queue.await_idle(0.0):
            self._turn_off()

    def _hand_over(self) -> None:
        """The end, good or bad: what is not finished is another's, what is finished is committed if that can be."""
        self._queue.stop()
        if left := self._queue.in_work():
            _log.warning("handed_over", in_flight=len(left))
            self._custody.left([item.message for item in left])
        self._full = True
        until_s = time.monotonic() + _LAST_COMMIT_S
        self._settle()
        # Without a broker, to wait for a commit would be to wait for a whole session.
        while self._commits.once_more(self._trackers) and time.monotonic() < until_s:
            self._turn_off()
        self._leaving = True

    def _turn_off(self) -> None:
        """One turn of a loop that takes nothing any more."""
        self._beat()
        self._settle()
        try:
            self._pause()
            self._consumer.poll(_POLL_S, 1)  # nothing comes from paused partitions, and what does is the next owner's
            self._commits.now_and_then(self._trackers)
        except (Transient, Fatal) as error:
            _log.info("leaving_without_broker", error=str(error))
            self._rest.wait(_POLL_S)
