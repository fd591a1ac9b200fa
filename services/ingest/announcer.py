"""The relay at work: one step after another, until told to stop. Runs in a thread of ingest's process.

Reads the outbox by its port, decides with `relay`, publishes, marks. A lost mark means the same event once more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Final

from pipeline.crash_points import reach
from pipeline.errors import Fatal, Permanent, Transient
from pipeline.stream.ports import Delivered, LogReader, PartlyDelivered, Producer
from pipeline.stream.wire import Wire
from pipeline.telemetry import families, logs
from pipeline.telemetry.metrics import Metrics
from services.ingest import relay
from services.ingest.pace import Pace
from services.ingest.ports import Outbox, OutboxTurn
from services.ingest.priorities import PRIORITIES
from services.ingest.submissions import Announcement

GROUP = "transcriber"
_FIRST_BACKOFF_S: Final = 0.25
#: While another replica has the turn: what woke us may have come too late for it.
_BUSY_REST_S: Final = 0.1


class Step(Enum):
    """How a step ended."""

    NOTHING = auto()
    """Nothing waits that there is room for."""
    ANNOUNCED = auto()
    """Something was announced; more may have come meanwhile."""
    FULL = auto()
    """As much was announced as one step may; more waits."""
    BUSY = auto()
    """Another replica has the turn."""


class Announcer:
    """Announces what the outbox holds.

    Args:
        outbox: What is to be announced.
        producer: Where to.
        log_reader: What became of it there.
        pace: How far ahead and how often.
        monotonic_s: A clock that never goes back, in seconds.
        wire: How events are written; None: without a schema registry.
        metrics: Counts announcements, and says whether they work.
    """

    def __init__(
        self,
        outbox: Outbox,
        producer: Producer,
        log_reader: LogReader,
        pace: Pace,
        monotonic_s: Callable[[], float],
        *,
        wire: Wire | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._outbox = outbox
        self._producer = producer
        self._log_reader = log_reader
        self._pace = pace
        self._monotonic_s = monotonic_s
        self._wire = wire or Wire()
        self._metrics = metrics or Metrics()
        self._close_due_s = 0.0
        self._review_due_s = 0.0
        self._cluster_id: str | None = None
        self._wake = threading.Event()
        self._log = logs.get(__name__)
        self.healthy = True
        """Whether the last step went well; uploads do not depend on it."""

    def wake(self) -> None:
        """Say that there is something new. From any thread."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Step until told to stop; rest between steps, longer while a peer does not answer.

        Raises:
            Fatal: The broker refuses us.
        """
        failures = 0
        while not stop.is_set():
            self._wake.clear()
            try:
                step = self.step()
            except (Transient, Permanent) as error:
                failures += 1
                self.healthy = False
                self._metrics.set(families.RELAY_HEALTHY, 0)
                self._review_due_s = 0.0
                self._log.warning("relay_waits", error=str(error), failures=failures)
                stop.wait(min(self._pace.backoff_max_s, _FIRST_BACKOFF_S * 2 ** min(failures, 10)))
                continue
            failures, self.healthy = 0, True
            self._metrics.set(families.RELAY_HEALTHY, 1)
            self._rest(step, stop)

    def _rest(self, step: Step, stop: threading.Event) -> None:
        if step is Step.NOTHING:
            self._wake.wait(self._pace.poll_s)
        elif step is Step.ANNOUNCED:
            stop.wait(self._pace.gather_s)
        elif step is Step.BUSY:
            stop.wait(_BUSY_REST_S)

    def step(self) -> Step:
        """One turn at the outbox: review when it is due, then announce what there is room for.

        Raises:
            Transient: A peer does not answer.
            Fatal: The broker refuses us.
        """
        with self._outbox.turn() as turn:
            if turn is None:
                return Step.BUSY
            self._close(turn)
            found = self._look(turn)
            if found.made_anew:
                turn.mark_lost(found.made_anew)
                return Step.FULL  # what this turn marks holds once it ends, and then they are announced again
            undelivered = self._announce_again(turn, found.again)
            announced = 0
            if undelivered is None:
                waiting = self._chosen(turn)
                announced = len(waiting)
                undelivered = self._announce(turn, waiting, kind="first")
                self._mark_served(turn, waiting)
        # What was delivered is marked by now: it is not announced again because something beside it was not.
        if undelivered is not None:
            raise undelivered
        if not announced:
            return Step.NOTHING
        return Step.FULL if announced >= self._pace.batch_max else Step.ANNOUNCED

    def _close(self, turn: OutboxTurn) -> None:
        now_s = self._monotonic_s()
        if now_s >= self._close_due_s:
            turn.close_finished()
            self._close_due_s = now_s + self._pace.close_every_s

    def _look(self, turn: OutboxTurn) -> relay.Findings:
        """Hold what was announced against the log, when that is due."""
        now_s = self._monotonic_s()
        if self._cluster_id is not None and now_s < self._review_due_s:
            return relay.Findings()
        self._cluster_id = self._log_reader.cluster_id()
        sent = turn.sent()
        watched = relay.logs_to_look_at(sent, self._cluster_id)
        bounds = self._log_reader.bounds(GROUP, watched) if watched else {}
        found = relay.review(sent, self._cluster_id, bounds, self._pace.reannounce_after_s)
        self._review_due_s = 0.0 if found.made_anew else now_s + self._pace.review_every_s
        turn.mark_passed(found.passed)
        turn.mark_unread(found.unread)
        return found

    def _announce_again(self, turn: OutboxTurn, again: Sequence[int]) -> PartlyDelivered | None:
        """Announce again what a log lost."""
        if not again:
            return None
        due_s, self._review_due_s = self._review_due_s, 0.0  # at once, should this fail
        for start in range(0, len(again), self._pace.batch_max):
            undelivered = self._announce(turn, turn.fetch(again[start : start + self._pace.batch_max]), kind="again")
            if undelivered is not None:
                return undelivered
        self._log.warning("announced_again", jobs=len(again), cluster_id=self._cluster_id)
        self._review_due_s = due_s
        return None

    def _chosen(self, turn: OutboxTurn) -> list[Announcement]:
        """What is announced next: by priority as far as there is room for it, then client by client."""
        announced = sum(log.jobs for log in turn.logs())
        rooms = turn.rooms()
        chosen: list[Announcement] = []
        for priority in PRIORITIES:
            free = relay.room(priority, self._pace.max_announced, announced + len(chosen))
            limit = min(free, self._pace.batch_max - len(chosen))
            if limit:
                left = relay.rooms_left(rooms, (announcement.event.client_id for announcement in chosen))
                chosen += turn.waiting(priority, limit, left)
        return chosen

    @staticmethod
    def _mark_served(turn: OutboxTurn, announcements: Sequence[Announcement]) -> None:
        last = {announcement.event.priority: announcement.event.client_id for announcement in announcements}
        for priority, client_id in last.items():
            turn.mark_served(priority, client_id)

    def _announce(
        self, turn: OutboxTurn, announcements: Sequence[Announcement], *, kind: str
    ) -> PartlyDelivered | None:
        """Publish and mark; what was not delivered stays as it is, and is given back."""
        if not announcements:
            return None
        if self._cluster_id is None:
            raise Fatal("the relay announces only after it has looked at the cluster")
        before = turn.logs()
        undelivered: PartlyDelivered | None = None
        places: Sequence[Delivered | None]
        try:
            records = [self._wire.encode(announcement.event) for announcement in announcements]
            places = self._producer.publish(records)
        except PartlyDelivered as error:
            undelivered, places = error, error.delivered
        reach("ingest.relay_published")
        marks = {
            announcement.outbox_id: place
            for announcement, place in zip(announcements, places, strict=True)
            if place is not None
        }
        delivered = list(marks.values())
        if gone := relay.logs_gone_back(delivered, before, self._cluster_id):
            turn.mark_lost(gone)
            self._review_due_s = 0.0
        turn.mark_sent(list(marks), self._cluster_id, delivered)
        reach("ingest.relay_marked")
        self._metrics.add(families.ANNOUNCED, len(marks), kind=kind)
        self._log.info("announced", jobs=len(marks))
        return undelivered
