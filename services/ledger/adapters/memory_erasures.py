"""The shipped fake of `ports.Erasures`, in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.ledger.ports import Erasure


@dataclass(frozen=True, slots=True)
class Ordered:
    """A row: when it was ordered, when it is due, what was done."""

    ordered_at: datetime
    due_at: datetime
    sweeps: int = 0
    objects: int = 0
    erased_at: datetime | None = None
    closed: bool = False


@dataclass
class MemoryErasures:
    """See `ports.Erasures`. `clock` stands for PostgreSQL's; `rows` are for tests to look at."""

    clock: Callable[[], datetime]
    rows: dict[str, Ordered] = field(default_factory=dict)

    def order(self, job_id: str) -> None:
        """As the ledger does when it hears that a job was erased."""
        self.rows.setdefault(job_id, Ordered(self.clock(), self.clock()))

    def claim(self, watched: timedelta, lease: timedelta, limit: int) -> list[Erasure]:
        """See `Erasures.claim`."""
        now = self.clock()
        due = sorted((row.due_at, job_id) for job_id, row in self.rows.items() if not row.closed and row.due_at <= now)
        claimed = []
        for _due_at, job_id in due[:limit]:
            row = self.rows[job_id]
            self.rows[job_id] = replace(row, due_at=now + lease)
            claimed.append(Erasure(job_id, row.sweeps, last=row.ordered_at <= now - watched))
        return claimed

    def mark_swept(self, erasure: Erasure, objects: int, pause: timedelta) -> None:
        """See `Erasures.mark_swept`."""
        row, now = self.rows[erasure.job_id], self.clock()
        self.rows[erasure.job_id] = replace(
            row,
            sweeps=row.sweeps + 1,
            objects=row.objects + objects,
            erased_at=row.erased_at or now,
            due_at=now + pause,
            closed=erasure.last,
        )
