"""Counts events: jobs by state and client, audio that waits, and what happened lately. Pure; `app` feeds it."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pipeline.contracts import states
from pipeline.contracts.events import AudioUploaded, Event
from services.ledger.claims import claim_of

JOBS_MAX: Final = 200_000
_BUCKET: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Jobs of one client in one state.

    Attributes:
        jobs: In this state now, as far as the logs tell.
        lately: Jobs that came to be so within the window.
        waiting_audio_s: Declared durations of those jobs, where the state is no end.
    """

    client_id: str
    state: str
    jobs: int
    lately: int
    waiting_audio_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What the board shows. `undecodable` and `failed` are records that are in none of the lines."""

    lines: tuple[Line, ...]
    backlog_jobs: int
    backlog_audio_s: float
    undecodable: int
    failed: int


@dataclass(slots=True)
class _Job:
    client_id: str
    run: int
    state: str
    audio_s: float = 0.0

    @property
    def waits(self) -> bool:
        return self.state not in states.TERMINAL


class Board:
    """Counts as long as it lives.

    Args:
        window: What `lately` means.
        jobs_max: The longest untouched jobs are forgotten beyond it.
    """

    def __init__(self, window: timedelta = timedelta(hours=1), jobs_max: int = JOBS_MAX) -> None:
        self._window = window
        self._jobs_max = jobs_max
        self._jobs: OrderedDict[str, _Job] = OrderedDict()
        self._buckets: dict[datetime, Counter[tuple[str, str]]] = {}
        self.undecodable = 0
        self.failed = 0

    def take(self, event: Event, at: datetime) -> None:
        """Count an event that was recorded at that time; of states the strongest stands, so their order is all one."""
        state = claim_of(event)
        if state is None or state not in states.ORDER:  # nothing that this release knows
            return
        job = self._jobs.get(event.job_id)
        if job is None:
            job = self._jobs[event.job_id] = _Job(event.client_id, event.run, state)
            self._came(job, at)
        elif (event.run, states.rank(state)) > (job.run, states.rank(job.state)):
            job.run, job.state = event.run, state
            self._came(job, at)
        if isinstance(event, AudioUploaded):
            job.audio_s = (event.audio.declared_duration_ms or 0) / 1000
        self._jobs.move_to_end(event.job_id)
        if len(self._jobs) > self._jobs_max:
            self._jobs.popitem(last=False)

    def picture(self, now: datetime) -> Picture:
        """What there is to show."""
        lately = self._lately(now)
        jobs: Counter[tuple[str, str]] = Counter()
        audio_s: defaultdict[tuple[str, str], float] = defaultdict(float)
        waiting = 0
        for job in self._jobs.values():
            jobs[job.client_id, job.state] += 1
            if job.waits:
                waiting += 1
                audio_s[job.client_id, job.state] += job.audio_s
        lines = tuple(
            Line(
                client_id=client_id,
                state=state,
                jobs=jobs[client_id, state],
                lately=lately[client_id, state],
                waiting_audio_s=audio_s.get((client_id, state), 0.0),
            )
            for client_id, state in sorted(jobs.keys() | lately.keys(), key=lambda key: (key[0], states.rank(key[1])))
        )
        return Picture(
            lines=lines,
            backlog_jobs=waiting,
            backlog_audio_s=float(sum(audio_s.values())),
            undecodable=self.undecodable,
            failed=self.failed,
        )

    def _came(self, job: _Job, at: datetime) -> None:
        bucket = at.replace(second=0, microsecond=0)
        self._buckets.setdefault(bucket, Counter())[job.client_id, job.state] += 1

    def _lately(self, now: datetime) -> Counter[tuple[str, str]]:
        since = now - self._window - _BUCKET
        for bucket in [bucket for bucket in self._buckets if bucket <= since]:
            del self._buckets[bucket]
        return sum(self._buckets.values(), Counter())
