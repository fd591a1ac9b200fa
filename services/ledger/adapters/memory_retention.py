"""The shipped fake of `ports.Retention`, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from services.ledger.ports import Expiry, Rule


@dataclass
class MemoryRetention:
    """See `ports.Retention`. `ended` says when each job of a client ended; `expired` what is gone: objects, None: begun;
    `busy`: somebody has the turn.
    """

    clock: Callable[[], datetime]
    wanted: list[Rule] = field(default_factory=list)
    ended: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    expired: dict[Expiry, int | None] = field(default_factory=dict)
    busy: bool = False

    @contextmanager
    def turn(self) -> Iterator[MemoryRetention | None]:
        """See `Retention.turn`."""
        if self.busy:
            yield None
            return
        self.busy = True
        try:
            yield self
        finally:
            self.busy = False

    def rules(self) -> list[Rule]:
        """See `RetentionTurn.rules`."""
        return self.wanted

    def due(self, rule: Rule, limit: int) -> Iterator[list[str]]:
        """See `RetentionTurn.due`."""
        found = [
            job_id
            for job_id, (client_id, ended_at) in sorted(self.ended.items())
            if client_id == rule.client_id
            and ended_at < self.clock() - rule.kept
            and Expiry(job_id, rule.what) not in self.expired
        ]
        for start in range(0, len(found), limit):
            yield found[start : start + limit]

    def begin(self, job_ids: Sequence[str], what: str) -> None:
        """See `RetentionTurn.begin`."""
        for job_id in job_ids:
            self.expired.setdefault(Expiry(job_id, what), None)

    def begun(self, limit: int) -> list[Expiry]:
        """See `RetentionTurn.begun`."""
        return [expiry for expiry, objects in self.expired.items() if objects is None][:limit]

    def finish(self, expiry: Expiry, objects: int) -> None:
        """See `RetentionTurn.finish`."""
        self.expired[expiry] = objects
