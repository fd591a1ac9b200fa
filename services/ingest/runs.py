"""A new run of a job: whether it may begin. Only ingest starts runs; `admin` for an operator, nobody else.

A run is the whole way again: a new number, a new announcement, results of its own. What subscribers were told of the
earlier run stands: `failed` is an end, and no end of a run is ever taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from pipeline.contracts import states

#: A job that failed may be done again.
FAILED: Final = frozenset({states.FAILED})
#: So may one that completed, if the operator says so: it may be billed again.
REPROCESSED: Final = FAILED | {states.COMPLETED}
#: Of a job whose record lies in a DLQ the ledger may not have heard yet that it failed.
GIVEN_UP: Final = FAILED | {states.QUEUED, states.TRANSCRIBING, states.TRANSCRIBED}


@dataclass(frozen=True, slots=True)
class Started:
    """A run was started."""

    job_id: str
    run: int


@dataclass(frozen=True, slots=True)
class Refused:
    """No run was started.

    Attributes:
        why: `unknown_job`; `superseded` (a later run was started already); or the state that the job is in.
    """

    job_id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a job when a run of it is asked for.

    Attributes:
        run: The newest that ingest started.
        ledger_run, state: As the ledger says; None and `queued` before it has heard of this run.
    """

    run: int
    ledger_run: int | None = None
    state: str = states.QUEUED


def known_of(run: int, ledger_run: int, ledger_state: str) -> Known:
    """What is known of a job whose newest run is `run`, while the ledger speaks of that one, or of an earlier one still."""
    return Known(run=run, ledger_run=ledger_run, state=ledger_state if ledger_run >= run else states.QUEUED)


def decide(job_id: str, known: Known | None, allowed: frozenset[str], after_run: int | None) -> Started | Refused:
    """Whether the next run of a job may be started, and its number.

    The number is beyond all that anybody has heard of, also where ingest's tables are an older copy.

    Args:
        job_id: The job.
        known: What is known of it; None: there is no such job.
        allowed: The states in which it may.
        after_run: The run that gave reason to ask; where a later one was started, somebody asked before.
    """
    if known is None:
        return Refused(job_id, "unknown_job")
    newest = max(known.run, known.ledger_run or 0)
    if after_run is not None and newest > after_run:
        return Refused(job_id, "superseded")
    if known.state not in allowed:
        return Refused(job_id, known.state)
    return Started(job_id, 1 + max(newest, after_run or 0))


@dataclass(frozen=True, slots=True)
class Failed:
    """A job whose newest run failed."""

    job_id: str
    run: int
    reason: str
    finished_at: datetime | None


class Runs(Protocol):
    """Starts runs. Every method may raise Transient (no answer) and Permanent (refused)."""

    def start(
        self, job_id: str, *, allowed: frozenset[str], after_run: int | None = None, dry_run: bool = False
    ) -> Started | Refused:
        """Start the next run of a job: its number and its announcement in one transaction.

        Args:
            job_id: The job.
            allowed: The states in which it may be started.
            after_run: See `decide`: makes it safe to ask twice.
            dry_run: Say what would be, and change nothing.
        """

    def find_failed(self, *, reason: str | None, since: datetime | None, limit: int) -> list[Failed]:
        """Jobs whose newest run failed, oldest first.

        Args:
            reason: For this reason only.
            since: That ended then or later only.
            limit: So many at most.
        """
