"""How many calls of a kind may be under way at once, so that what is urgent or short always finds a place. Used by `calls`.

With 16 places: bulk takes up to 14, normal up to 15; of calls that are long, whatever their priority, up to 8.
"""

from __future__ import annotations

import threading
from collections import Counter
from enum import Enum, auto
from typing import Final

PRIORITIES: Final = ("interactive", "normal", "bulk")
#: A share of the places that is kept for each more urgent priority.
_RESERVED_PARTS: Final = 10
_LONG_PARTS: Final = 2


class Place(Enum):
    """A place of a call under way."""

    FOR_ANY_CALL = auto()
    FOR_A_LONG_CALL = auto()


class Shares:
    """Places of calls under way.

    Args:
        places: How many there are.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken: Counter[Place] = Counter()
        self._lock = threading.Lock()

    def take(self, priority: str, *, is_long: bool) -> Place | None:
        """A place, to be given back; None when those that such a call may have are taken."""
        place = Place.FOR_A_LONG_CALL if is_long else Place.FOR_ANY_CALL
        with self._lock:
            most_long = max(1, self._places // _LONG_PARTS)
            if self._taken.total() >= self._most(priority) or (is_long and self._taken[place] >= most_long):
                return None
            self._taken[place] += 1
            return place

    def give_back(self, place: Place) -> None:
        """The call is not under way any more."""
        with self._lock:
            self._taken[place] -= 1

    def _most(self, priority: str) -> int:
        rank = PRIORITIES.index(priority) if priority in PRIORITIES else len(PRIORITIES) - 1
        return max(1, self._places - rank * max(1, self._places // _RESERVED_PARTS))
