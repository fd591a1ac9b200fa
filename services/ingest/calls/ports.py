"""What is kept of upstream systems' calls. Shipped fake: `adapters.memory_calls`; one test suite runs over fake and PostgreSQL.

A job is accepted or refused, never both: whoever keeps the one looks for the other in the same transaction, one at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from pipeline.stream.verdicts import DEPENDENCY_FAILED, INTERNAL_ERROR
from services.ingest.clients import UNLIMITED, Quota
from services.ingest.ports import Submissions
from services.ingest.submissions import Accepted, IdempotencyKey, Submission

#: Reasons that are no fault of the call: who sends the same event again, as `razgovor dlq replay` does, has it tried again.
OURS: Final = frozenset({INTERNAL_ERROR, DEPENDENCY_FAILED})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call was not accepted.

    Attributes:
        run: Which try it was, from 1.
        reason: A code of schemas/reasons.toml.
        details: Figures of the reason.
    """

    run: int
    reason: str
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Whether the same event gets the same answer for ever."""
        return self.reason not in OURS

    def bars(self, run: int) -> bool:
        """Whether this run can't be accepted any more."""
        return self.is_final or self.run >= run


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a call so far: accepted, refused, or nothing yet."""

    accepted: bool = False
    refusal: Refusal | None = None

    @property
    def next_run(self) -> int:
        """The run that comes now."""
        return 1 if self.refusal is None else self.refusal.run + 1


class RefusedMeanwhile(Exception):
    """The call was refused while its recording was on its way; attribute `refusal`."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


class Calls(Submissions, Protocol):
    """Every method may raise Transient (no answer) and Permanent (refused)."""

    def standing(self, client_id: str, job_id: str, /) -> Standing:
        """What became of a call."""

    def submit(
        self, submission: Submission, idempotency: IdempotencyKey | None, quota: Quota = UNLIMITED, /
    ) -> Accepted:
        """See `Submissions.submit`. The job's id is the idempotency key, so none is given; what is accepted already stays.

        Raises:
            Problem: `quota_exceeded`.
            RefusedMeanwhile: This run was.
            OutcomeUnknown: It may be kept.
            Transient: It is not kept.
        """

    def refuse(self, client_id: str, job_id: str, reason: str, details: Mapping[str, str], /) -> Refusal | None:
        """Keep that a call is refused; a final refusal stays as it is.

        Returns:
            What is kept now; None: it was accepted.
        """
