"""States of a job. The ledger takes the maximum of (run, rank), so the order of arrival does not matter."""

from __future__ import annotations

from typing import Final

QUEUED: Final = "queued"
TRANSCRIBING: Final = "transcribing"
TRANSCRIBED: Final = "transcribed"
FAILED: Final = "failed"
CANCELED: Final = "canceled"
COMPLETED: Final = "completed"
ERASED: Final = "erased"

#: From the weakest to the strongest claim.
ORDER: Final = (QUEUED, TRANSCRIBING, TRANSCRIBED, FAILED, CANCELED, COMPLETED, ERASED)

#: A job in one of these ends here, unless ingest starts another run.
TERMINAL: Final = frozenset({FAILED, CANCELED, COMPLETED, ERASED})


def rank(state: str) -> int:
    """Strength of a state, for taking the maximum.

    Raises:
        ValueError: The state is not known to this release.
    """
    return ORDER.index(state)
