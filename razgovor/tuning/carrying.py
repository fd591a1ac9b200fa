"""What a speed means: calls a month, when a backlog is done, how much the store grows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from razgovor.tuning.storing import Stored

HOURS_A_MONTH: Final = 30 * 24
WORKING_HOURS_A_MONTH: Final = 22 * 8
#: What is asked for most: calls a month of whole call centres.
USUAL: Final = (10_000, 20_000, 45_000)
#: Nobody plans a machine that never rests: what comes in a peak must be done too.
FILL: Final = 0.8
_GIGABYTE: Final = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine at work on calls.

    Attributes:
        call_s_per_s: Seconds of calls per second, measured.
        call_s: Length of a call.
        stored: What a second of call leaves in the store.
    """

    call_s_per_s: float
    call_s: float
    stored: Stored

    def calls(self, hours: float) -> int:
        """Calls in so many hours, without rest."""
        return int(hours * 3600 * self.call_s_per_s / self.call_s)

    def busy_hours(self, calls: int) -> float:
        """How long so many calls take."""
        return calls * self.call_s / self.call_s_per_s / 3600

    def machines(self, calls: int, hours: float) -> int:
        """Machines like this for so many calls in so many hours, each at work FILL of them."""
        return max(1, -int(-self.busy_hours(calls) // (hours * FILL)))

    def gigabytes(self, calls: int) -> float:
        """What so many calls leave in the store."""
        return calls * self.call_s * self.stored.all / _GIGABYTE

    def done_at(self, now: datetime, backlog_s: float) -> datetime:
        """When a backlog of so many seconds of calls is done, nothing coming in meanwhile."""
        return now + timedelta(seconds=backlog_s / self.call_s_per_s)
