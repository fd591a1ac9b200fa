"""A new run of a job: whether it may begin. Only ingest starts runs: `admin` for an operator, `web.orders` for a client.

A run is the whole way again: a new number, a new announcement, results of its own. What subscribers were told of the
earlier run stands: `failed` is an end, and no end of a run is ever taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from pipeline.contracts import states
from services.ingest.audit_log import OPERATOR
from services.ingest.clients import UNLIMITED, Quota

#: Shown of a job that is called off while the ledger does not say so yet.
CANCELING: Final = "canceling"

#: Why a job is not done again whose recording is kept no longer.
EXPIRED: Final = "expired"

#: A job that failed may be done again.
FAILED: Final = frozenset({states.FAILED})
#: So may one that completed, if the operator says so: it may be billed again.
REPROCESSED: Final = FAILED | {states.COMPLETED}
#: For its client so may one that was canceled.
CALLED_OFF: Final = FAILED | {states.CANCELED, CANCELING}
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
        why: `unknown_job`; `superseded` (a later run was started already); `expired` (its recording is kept no longer);
            or the state that the job is in.
    """

    job_id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a job when a run of it is asked for.

    Attributes:
        run: The newest that ingest started.
        ledger_run, state: As the ledger says; None and `queued` before it has heard of this run. `canceling` and
            `erased` are ingest's own knowledge.
        expired: Its recording is kept no longer.
    """

    run: int
    ledger_run: int | None = None
    state: str = states.QUEUED
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """The newest run that the ledger has heard of, and its state."""

    run: int
    state: str


def known_of(run: int, heard: Heard | None, *, canceled_run: int | None, erased: bool, expired: bool = False) -> Known:
    """What is known of a job.

    Args:
        run: The newest that ingest started.
        heard: What the ledger says: of that run, or of an earlier one still; None: it knows no such job.
        canceled_run: The newest run that its client called off.
        erased: Whether its client had it erased.
        expired: Whether its recording is kept no longer.
    """
    newest = run if heard is None else max(run, heard.run)
    state = heard.state if heard is not None and heard.run >= run else states.QUEUED
    return Known(
        run=run,
        ledger_run=None if heard is None else heard.run,
        state=shown_state(state, canceled=canceled_run == newest, erased=erased),
        expired=expired,
    )


def shown_state(state: str, *, canceled: bool, erased: bool) -> str:
    """The state that a run is in for whoever asks: the ledger's, or what ingest knows before the ledger does."""
    if erased:
        return states.ERASED
    return CANCELING if canceled and state not in states.TERMINAL else state


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
    if known.expired:
        return Refused(job_id, EXPIRED)
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
        self,
        job_id: str,
        *,
        client_id: str | None = None,
        allowed: frozenset[str],
        after_run: int | None = None,
        dry_run: bool = False,
        quota: Quota = UNLIMITED,
        by: str = OPERATOR,
    ) -> Started | Refused:
        """Start the next run of a job: its number, its announcement and its reservation in one transaction.

        Args:
            job_id: The job.
            client_id: Whose it must be; None: an operator asks, for whom it may be anybody's.
            allowed: The states in which it may be started.
            after_run: See `decide`: makes it safe to ask twice.
            dry_run: Say what would be, and change nothing.
            quota: Of the client, where it is one that asks.
            by: Who asks, for the audit log.

        Raises:
            Problem: `quota_exceeded`.
        """

    def find_failed(self, *, reason: str | None, since: datetime | None, limit: int) -> list[Failed]:
        """Jobs whose newest run failed, oldest first.

        Args:
            reason: For this reason only.
            since: That ended then or later only.
            limit: So many at most.
        """
