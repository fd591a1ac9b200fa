"""What the start markers of a run say: who began, who is done with it, and how the call is to be taken now. Pure.

A crash can take the whole worker with it, so nothing that counts crashes may live in memory alone. A start that is neither
finished (the transcript is there, and nobody asks) nor released is a crash, or a worker that still works.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from pipeline.contracts.layout import ALIVE_SUFFIX, RELEASED_SUFFIX, START_NAME

#: So many crashes among other calls, and the call runs alone.
CRASHES_TOGETHER: Final = 2
#: So many crashes alone, and it is given up.
CRASHES_ALONE: Final = 2
#: So many starts, however they ended, and it runs alone too: workers that leave over it again and again release it.
STARTS_TOGETHER: Final = 6

_MARKER: Final = re.compile(
    rf"{re.escape(START_NAME)}([1-9][0-9]{{0,8}})({re.escape(RELEASED_SUFFIX)}|{re.escape(ALIVE_SUFFIX)}[0-9]+)?"
)


@dataclass(frozen=True, slots=True)
class Starts:
    """The starts on a run.

    Attributes:
        begun: Their numbers.
        released: Those that are over and were no crash.
        signs: All markers by name: more of them is a sign of life.
    """

    begun: frozenset[int] = frozenset()
    released: frozenset[int] = frozenset()
    signs: frozenset[str] = frozenset()

    @property
    def unreleased(self) -> frozenset[int]:
        """Crashed, or still at work."""
        return self.begun - self.released

    @property
    def next_number(self) -> int:
        """Of a start that begins now."""
        return max(self.begun | self.released, default=0) + 1


class Course(Enum):
    """How a call is taken."""

    TOGETHER = auto()
    ALONE = auto()
    GIVE_UP = auto()


def starts_in(names: Iterable[str]) -> Starts:
    """What the markers among the names say; names are as they stand under the run's prefix."""
    begun: set[int] = set()
    released: set[int] = set()
    signs: set[str] = set()
    for name in names:
        if (marker := _MARKER.fullmatch(name)) is None:
            continue
        signs.add(name)
        number, suffix = int(marker[1]), marker[2]
        (released if suffix == RELEASED_SUFFIX else begun).add(number)
    return Starts(frozenset(begun), frozenset(released), frozenset(signs))


def course(starts: Starts) -> Course:
    """How to take the call, when every unreleased start is known to have crashed.

    A start that ran alone did so by this same rule, so the markers before it tell.
    """
    crashes = crashes_alone = 0
    for before, number in enumerate(sorted(starts.begun)):
        crashed = number not in starts.released
        crashes_alone += crashed and _alone(crashes, before)
        crashes += crashed
    if crashes_alone >= CRASHES_ALONE:
        return Course.GIVE_UP
    return Course.ALONE if _alone(crashes, len(starts.begun)) else Course.TOGETHER


def _alone(crashes: int, starts: int) -> bool:
    return crashes >= CRASHES_TOGETHER or starts >= STARTS_TOGETHER
