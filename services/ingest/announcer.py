"""The relay at work: one step after another, until told to stop. Runs in a thread of ingest's process.

Reads the outbox by its port, decides with `relay`, publishes, marks. A lost mark means the same event once more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.errors import Fatal, Permanent, Transient
from pipeline.stream import wire
from pipeline.stream.ports import LogReader, Producer
from pipeline.telemetry import logs
from services.ingest import relay
from services.ingest.ports import Outbox, OutboxTurn
from services.ingest.submissions import Announcement

GROUP = "transcriber"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How far ahead and how often.

    Attributes:
        max_announced: Announced jobs that are not terminal, at most.
        batch_max: Announcements in one step, at most.
        poll_s: How long the relay rests when nothing woke it.
        review_every_s: How often announced jobs are held against the log.
        reannounce_after_s: How long a job may stay unfinished once the group has passed its announcement.
        backoff_max_s: The longest rest while a peer does not answer.
    """

    max_announced: int = 2000
    batch_max: int = 500
    poll_s: float = 1.0
    review_every_s: float = 5.0
    reannounce_after_s: float = 600.0
    backoff_max_s: float = 10.0


class Announcer:
    """Announces what the outbox holds.

    Args:
        outbox: What is to be announced.
        producer: Where to.
        log_reader: What became of it there.
        pace: How far ahead and how often.
        monotonic_s: A clock that never goes back, in seconds.
    """

    def __init__(
        self,
        outbox: Outbox,
        producer: Producer,
        log_reader: LogReader,
        pace: Pace,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._outbox = outbox
        self._producer = producer
        self._log_reader = log_reader
        self._pace = pace
        self._monotonic_s = monotonic_s
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
                more = self.step()
            except (Transient, Permanent) as error:
                failures += 1
                self.healthy = False
                self._review_due_s = 0.0
                self._log.warning("relay_waits", error=str(error), failures=failures)
                stop.wait(min(self._pace.backoff_max_s, 0.25 * 2 ** min(failures, 10)))
                continue
            failures, self.healthy = 0, True
            if not more:
                self._wake.wait(self._pace.poll_s)

    def step(self) -> bool:
        """One turn at the outbox: review when it is due, then announce what there is room for.

        Returns:
            Whether more waits and there is room for it.

        Raises:
            Transient: A peer does not answer.
            Fatal: The broker refuses us.
        """
        with self._outbox.turn() as turn:
            if turn is None:
                return False
            turn.close_finished()
            self._review(turn)
            free = relay.room(self._pace.max_announced, turn.announced(), self._pace.batch_max)
            waiting = turn.waiting(free) if free else []
            self._announce(turn, waiting)
            return bool(waiting) and len(waiting) == self._pace.batch_max

    def _review(self, turn: OutboxTurn) -> None:
        """Hold what was announced against the log, and announce again what the log lost."""
        now_s = self._monotonic_s()
        if self._cluster_id is not None and now_s < self._review_due_s:
            return
        self._cluster_id = self._log_reader.cluster_id()
        sent = turn.sent()
        watched = relay.logs_to_look_at(sent, self._cluster_id)
        bounds = self._log_reader.bounds(GROUP, watched) if watched else {}
        again = relay.due_again(sent, self._cluster_id, bounds, self._pace.reannounce_after_s)
        for start in range(0, len(again), self._pace.batch_max):
            self._announce(turn, turn.fetch(again[start : start + self._pace.batch_max]))
        if again:
            self._log.warning("announced_again", jobs=len(again), cluster_id=self._cluster_id)
        self._review_due_s = now_s + self._pace.review_every_s

    def _announce(self, turn: OutboxTurn, announcements: list[Announcement]) -> None:
        if not announcements:
            return
        if self._cluster_id is None:
            raise Fatal("the relay announces only after it has looked at the cluster")
        delivered = self._producer.publish([wire.encode(announcement.event) for announcement in announcements])
        turn.mark_sent([announcement.outbox_id for announcement in announcements], self._cluster_id, delivered)
        self._log.info("announced", jobs=len(announcements))
