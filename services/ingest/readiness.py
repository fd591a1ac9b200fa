"""A check whose answer holds for a while, so that whoever asks for readiness often does not burden the peer."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pipeline.errors import RazgovorError


class RecentCheck:
    """Asks a peer at most once in a while; callers at the same time share one answer.

    Args:
        check: Raises one of our errors while the peer does not answer.
        max_age_s: How long an answer holds.
        monotonic_s: A clock that never goes back, in seconds.
    """

    def __init__(self, check: Callable[[], object], max_age_s: float, monotonic_s: Callable[[], float]) -> None:
        self._check = check
        self._max_age_s = max_age_s
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._checked_at_s: float | None = None
        self._error: RazgovorError | None = None

    def __call__(self) -> None:
        """Raises what the peer's last check raised."""
        with self._lock:
            now_s = self._monotonic_s()
            if self._checked_at_s is None or now_s - self._checked_at_s >= self._max_age_s:
                self._error = self._asked()
                self._checked_at_s = now_s
        if self._error is not None:
            raise self._error

    def _asked(self) -> RazgovorError | None:
        try:
            self._check()
        except RazgovorError as error:
            return error
        return None
