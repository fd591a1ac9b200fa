"""The shipped fake of `rates.Rates`: buckets of one process, in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable

from services.ingest.rates import Rate, Taken


class MemoryRates:
    """See `rates.Rates`. `now_us` stands for PostgreSQL's clock."""

    def __init__(self, now_us: Callable[[], int] = lambda: 0) -> None:
        self._now_us = now_us
        self._lock = threading.Lock()
        self._used_until: dict[str, int] = {}

    def take(self, client_id: str, rate: Rate) -> Taken:
        """See `Rates.take`."""
        with self._lock:
            now_us = self._now_us()
            ahead_us = max(0, self._used_until.get(client_id, now_us) - now_us)
            if ahead_us + rate.step_us > rate.capacity_us:
                return Taken(allowed=False, ahead_us=ahead_us)
            self._used_until[client_id] = now_us + ahead_us + rate.step_us
            return Taken(allowed=True, ahead_us=ahead_us + rate.step_us)
