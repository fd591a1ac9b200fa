"""How many requests a client may send: a bucket that holds a minute's worth and fills evenly. The rule is pure.

A bucket is one moment, kept by PostgreSQL for all replicas: until then what was taken is not yet filled up again. Called
by `web.auth` for clients that have a limit, before a body is read.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

WINDOW_S: Final = 60
_US: Final = 1_000_000
#: More clients than are refused at once; beyond it the memory of refusals begins anew.
_REFUSED_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit: so many requests a minute, and as many at once."""

    requests: int

    @property
    def step_us(self) -> int:
        """What one request takes of the bucket."""
        return WINDOW_S * _US // self.requests

    @property
    def capacity_us(self) -> int:
        """What the whole bucket holds."""
        return self.step_us * self.requests


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one request.

    Attributes:
        allowed: Whether there was room.
        ahead_us: What is missing of the bucket now.
    """

    allowed: bool
    ahead_us: int

    def remaining(self, rate: Rate) -> int:
        """Requests that there is room for now."""
        return max(0, (rate.capacity_us - self.ahead_us) // rate.step_us)

    def reset_s(self) -> int:
        """Seconds until the bucket is full again."""
        return math.ceil(max(0, self.ahead_us) / _US)

    def wait_s(self, rate: Rate) -> float:
        """Seconds until there is room for one; 0: there is."""
        return max(0, self.ahead_us + rate.step_us - rate.capacity_us) / _US


class Rates(Protocol):
    """Where buckets are kept. May raise Transient: the database does not answer."""

    def take(self, client_id: str, rate: Rate) -> Taken:
        """Take one request out of a client's bucket, if there is room; exact however many ask at once."""


class RateLimiter:
    """Asks for every request, but not for one that must come in vain: a replica knows how long it was refused.

    From any thread.

    Args:
        rates: Where buckets are kept.
        monotonic_s: A clock that never goes back, in seconds.
    """

    def __init__(self, rates: Rates, monotonic_s: Callable[[], float]) -> None:
        self._rates = rates
        self._monotonic_s = monotonic_s
        self._refused: dict[tuple[str, Rate], tuple[float, float]] = {}

    def refused(self, client_id: str, rate: Rate) -> Taken | None:
        """The refusal that still holds; None: ask. Never blocks."""
        known = self._refused.get((client_id, rate))
        if known is None:
            return None
        since_s, until_s = known
        now_s = self._monotonic_s()
        if now_s >= until_s:
            return None
        full_us = rate.capacity_us - rate.step_us
        return Taken(allowed=False, ahead_us=full_us + math.ceil((until_s - max(now_s, since_s)) * _US))

    def take(self, client_id: str, rate: Rate) -> Taken:
        """Take one request. Blocks.

        Raises:
            Transient: The database does not answer.
        """
        asked_s = self._monotonic_s()
        taken = self._rates.take(client_id, rate)
        if not taken.allowed:
            if len(self._refused) >= _REFUSED_MAX:
                self._refused.clear()
            self._refused[client_id, rate] = (asked_s, asked_s + taken.wait_s(rate))
        return taken
