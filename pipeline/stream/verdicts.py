"""What a failure means for its event, by its kind. Pure; `events` acts on it.

CallFault           failed with its reason; never the DLQ
RetriableFault      three attempts, then failed with its reason; never the DLQ
WorkerCrashed       the DLQ and failed with its reason
Transient           three attempts (its canary works, or we would not ask), then the DLQ and failed `dependency_failed`
Permanent           the DLQ and failed `internal_error`
unknown exception   three attempts, then the DLQ and failed `internal_error`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pipeline.errors import CallFault, Permanent, RetriableFault, Transient, WorkerCrashed
from pipeline.stream.retries import ATTEMPTS

DEPENDENCY_FAILED: Final = "dependency_failed"
INTERNAL_ERROR: Final = "internal_error"
CALL_FAULT: Final = "call_fault"
TRANSIENT: Final = "transient"
PERMANENT: Final = "permanent"
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of an event that failed.

    Attributes:
        kind: One of four, for counting.
        retriable: Whether another attempt may help.
        reason: The failed job's, a code of schemas/reasons.toml, with `details` for its text.
        aside_as: The DLQ's reason, None where the DLQ has no business with it.
    """

    kind: str
    retriable: bool
    reason: str
    details: Mapping[str, str] = field(default_factory=dict)
    aside_as: str | None


def verdict(error: Exception, service: str) -> Verdict:
    """What a failure means; `service` is who failed."""
    ours = {"service": service}
    match error:
        case CallFault():
            retriable = isinstance(error, RetriableFault)
            # A crash is of interest to an engineer, and many of them to the fuse.
            aside_as = error.reason if isinstance(error, WorkerCrashed) else None
            return Verdict(
                kind=CALL_FAULT, retriable=retriable, reason=error.reason, details=error.details, aside_as=aside_as
            )
        case Transient():
            ours["attempts"] = str(ATTEMPTS)
            return Verdict(
                kind=TRANSIENT, retriable=True, reason=DEPENDENCY_FAILED, details=ours, aside_as=DEPENDENCY_FAILED
            )
        case Permanent():
            return Verdict(kind=PERMANENT, retriable=False, reason=INTERNAL_ERROR, details=ours, aside_as=error.reason)
        case _:
            # The type alone: an exception's text can hold what was said or who said it.
            name = type(error).__name__
            return Verdict(kind=UNKNOWN, retriable=True, reason=INTERNAL_ERROR, details=ours, aside_as=name)
