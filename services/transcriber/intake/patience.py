"""How long a call that others began is left alone: until they have given no sign of life for a while. Used by `calls`.

Nobody's clock is compared with another's: we count our own seconds between two looks that saw the same.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

_CALLS_MAX: Final = 4096


class Patience:
    """Watches calls by what their markers show.

    Args:
        takeover_after_s: So long without a new sign, and nobody works on it.
        monotonic_s: A clock that never goes back.
    """

    def __init__(self, takeover_after_s: float, monotonic_s: Callable[[], float]) -> None:
        self._takeover_after_s = takeover_after_s
        self._monotonic_s = monotonic_s
        self._seen: OrderedDict[str, tuple[frozenset[str], float]] = OrderedDict()
        self._lock = threading.Lock()

    def left_s(self, call: str, signs: frozenset[str]) -> float:
        """How long to leave the call alone yet; 0 when it may be taken."""
        now_s = self._monotonic_s()
        with self._lock:
            before, since_s = self._seen.get(call, (None, now_s))
            if before != signs:
                since_s = now_s
                self._seen[call] = (signs, now_s)
                if len(self._seen) > _CALLS_MAX:
                    self._seen.popitem(last=False)
        return max(0.0, since_s + self._takeover_after_s - now_s)

    def forget(self, call: str) -> None:
        """The call is taken, or done with."""
        with self._lock:
            self._seen.pop(call, None)
