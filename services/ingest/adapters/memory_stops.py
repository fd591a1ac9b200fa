"""The shipped fake of `stops.Stops`, over the rows of `memory.MemorySubmissions`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.contracts import states
from pipeline.contracts.call_info import CallInfo
from services.ingest import handler
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.adapters.memory_runs import known_job
from services.ingest.audit_log import OPERATOR
from services.ingest.runs import CANCELING, Known
from services.ingest.stops import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    Ended,
    Stop,
    Stopping,
    cannot_cancel,
    event_of,
    newest_run,
)


@dataclass(slots=True)
class _Row:
    stop: Stop
    requested_at: datetime
    told_at: datetime | None = None
    tellings: int = 0
    settled: bool = False


class MemoryStops:
    """See `stops.Stops`. `clock` stands for PostgreSQL's."""

    def __init__(self, submissions: MemorySubmissions, clock: Callable[[], datetime]) -> None:
        self._rows = submissions
        self._clock = clock
        self._stops: dict[tuple[str, int, str], _Row] = {}

    def cancel(self, client_id: str, job_id: str) -> Stopping | Ended | None:
        """See `Stops.cancel`."""
        known = self._known(client_id, job_id)
        if known is None:
            return None
        too_late = cannot_cancel(known)
        if too_late is not None:
            return too_late
        run = newest_run(known)
        self._rows.canceled_runs[job_id] = run
        self._close(job_id, announced=False)
        requested_at = self._ordered(job_id, run, states.CANCELED)
        return Stopping(job_id, run, states.CANCELED if known.state == states.CANCELED else CANCELING, requested_at)

    def erase(self, client_id: str, job_id: str, *, by: str = OPERATOR) -> Stopping | None:  # noqa: ARG002  nobody asks
        """See `Stops.erase`."""
        known = self._known(client_id, job_id)
        if known is None:
            return None
        run = newest_run(known)
        submission, accepted_at = self._rows.submissions[job_id]
        if job_id not in self._rows.erased:
            self._rows.submissions[job_id] = (replace(submission, call_info=CallInfo()), accepted_at)
            self._close(job_id, announced=True)
            self._rows.erased[job_id] = self._ordered(job_id, run, states.ERASED)
        return Stopping(job_id, run, states.ERASED, self._rows.erased[job_id])

    def _known(self, client_id: str, job_id: str) -> Known | None:
        found = self._rows.submissions.get(job_id)
        return known_job(self._rows, job_id) if found is not None and found[0].client_id == client_id else None

    def _close(self, job_id: str, *, announced: bool) -> None:
        for row in self._rows.outbox.values():
            if row.announcement.event.job_id == job_id and (announced or row.sent is None):
                row.closed = True

    def _ordered(self, job_id: str, run: int, state: str) -> datetime:
        submission, accepted_at = self._rows.submissions[job_id]
        cause = handler.announcement(replace(submission, run=run), accepted_at)
        row = _Row(Stop(job_id, run, state, event_of(cause, state)), self._clock())
        return self._stops.setdefault((job_id, run, state), row).requested_at

    @contextmanager
    def turn(self) -> Iterator[_MemoryTurn | None]:
        """See `Stops.turn`."""
        yield _MemoryTurn(self._rows, self._stops, self._clock())


class _MemoryTurn:
    def __init__(self, rows: MemorySubmissions, stops: dict[tuple[str, int, str], _Row], now: datetime) -> None:
        self._rows = rows
        self._stops = stops
        self._now = now

    def settle(self) -> None:
        for row in self._stops.values():
            outcome, stop = self._rows.outcomes.get(row.stop.job_id), row.stop
            if outcome is not None and (
                outcome.state == states.ERASED
                or (
                    stop.state == states.CANCELED
                    and (
                        outcome.run > stop.run
                        or (outcome.run == stop.run and outcome.state in {states.CANCELED, states.COMPLETED})
                    )
                )
            ):
                row.settled = True

    def due(self, limit: int) -> list[Stop]:
        waiting = [row for row in self._stops.values() if not row.settled and self._is_due(row)]
        return [row.stop for row in sorted(waiting, key=lambda row: row.requested_at)][:limit]

    def _is_due(self, row: _Row) -> bool:
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** max(0, min(row.tellings, 20) - 1))
        return row.told_at is None or row.told_at + timedelta(seconds=pause_s) <= self._now

    def mark_told(self, stops: Sequence[Stop]) -> None:
        for stop in stops:
            row = self._stops[stop.job_id, stop.run, stop.state]
            row.told_at, row.tellings = self._now, row.tellings + 1
