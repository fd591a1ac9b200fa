"""Calling a job off: whether it may be, and what is said then. Values and decisions; `stopper` puts and tells.

`canceled` is best effort: where the result is there first, the job is completed all the same. `erased` holds at any state
and comes over everything: what is asked for is gone from that moment, though the janitor deletes it a moment later.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from pipeline.contracts import events, states
from pipeline.contracts.events import AudioUploaded, JobStatus
from services.ingest.audit_log import OPERATOR
from services.ingest.runs import Known

STAGE: Final = "ingest"
#: A stop that the ledger does not show is told again after this, then after twice that, and so on.
FIRST_PAUSE_S: Final = 30.0
LONGEST_PAUSE_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Stopping:
    """A job is being called off, or was before.

    Attributes:
        run: Its newest run.
        state: `canceling`, `canceled` or `erased`.
        requested_at: When it was asked for first, by PostgreSQL's clock.
    """

    job_id: str
    run: int
    state: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """It ended before: `state` says how."""

    state: str


@dataclass(frozen=True, slots=True)
class Stop:
    """What is to be put and told."""

    job_id: str
    run: int
    state: str
    event: JobStatus

    @property
    def runs(self) -> range:
        """The runs whose markers are put: erasing calls off all there ever were."""
        return range(1, self.run + 1) if self.state == states.ERASED else range(self.run, self.run + 1)


def newest_run(known: Known) -> int:
    """The newest run that anybody has heard of."""
    return max(known.run, known.ledger_run or 0)


def cannot_cancel(known: Known) -> Ended | None:
    """How the job ended, if that makes it too late; None: it may be canceled, or was."""
    return Ended(known.state) if known.state in states.TERMINAL - {states.CANCELED} else None


def event_of(cause: AudioUploaded, state: str) -> JobStatus:
    """The `job.status` that says so; `cause` announces the newest run."""
    return events.status(cause, state, STAGE)


class StopsTurn(Protocol):
    """One stopper's turn; what it marks holds once the turn ends well."""

    def settle(self) -> None:
        """Set aside what the ledger shows."""

    def due(self, limit: int) -> list[Stop]:
        """What is to be put and told now, the oldest first."""

    def mark_told(self, stops: Sequence[Stop]) -> None:
        """Keep that these were told, once more."""


class Stops(Protocol):
    """Calls jobs off. Every method may raise Transient (no answer) and Permanent (refused)."""

    def cancel(self, client_id: str, job_id: str) -> Stopping | Ended | None:
        """Have a client's job canceled; None: it has no such job. Asking again changes nothing."""

    def erase(self, client_id: str, job_id: str, *, by: str = OPERATOR) -> Stopping | None:
        """Have a client's job erased, whatever its state; None: it has no such job. Asking again changes nothing.

        What names people is gone from ingest's tables when this returns. `by` is who orders it, for the audit log.
        """

    def turn(self) -> AbstractContextManager[StopsTurn | None]:
        """Take the only turn over all replicas; None while another has it."""
