"""Who goes to the front end's children next: urgent calls first, and long recordings never to all children at once.

A three-hour recording takes a child for minutes. So at least one child is always left to short ones, however many long ones wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

_PRIORITIES: Final = ("interactive", "normal", "bulk")
#: How often whoever waits asks whether to wait on.
_LOOK_EVERY_S: Final = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """Somebody who wants a place."""

    rank: int
    number: int
    long: bool


class Places:
    """So many places, one for each child.

    Args:
        size: How many. With one place everybody has to share it.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._free_for_long = max(1, size - 1)
        self._numbers = 0
        self._waiting: list[_Waiting] = []
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, *, priority: str, long: bool, still_wanted: Callable[[], None]) -> Iterator[None]:
        """Hold a place for as long as the context lasts; waits for one.

        Args:
            priority: The urgent go first; among equals, who came first.
            long: Whether it takes a child for long.
            still_wanted: Asked now and then while waiting; raises to give up.
        """
        with self._changed:
            one = _Waiting(_rank(priority), self._numbers, long)
            self._numbers += 1
            self._waiting.append(one)
        self._wait(one, still_wanted)
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._free_for_long += long
                self._changed.notify_all()

    def _wait(self, one: _Waiting, still_wanted: Callable[[], None]) -> None:
        try:
            while not self._go_in(one):
                still_wanted()
        except BaseException:
            with self._changed:
                self._leave(one)
            raise

    def _go_in(self, one: _Waiting) -> bool:
        """Take the place if it is this one's turn, or becomes so in a little while."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._next() is one, _LOOK_EVERY_S):
                return False
            self._free -= 1
            self._free_for_long -= one.long
            self._leave(one)
            return True

    def _leave(self, one: _Waiting) -> None:
        self._waiting.remove(one)
        self._changed.notify_all()

    def _next(self) -> _Waiting | None:
        if not self._free:
            return None
        fitting = (one for one in self._waiting if self._free_for_long or not one.long)
        return min(fitting, key=lambda one: (one.rank, one.number), default=None)


def _rank(priority: str) -> int:
    """A priority of a newer release counts as normal."""
    return _PRIORITIES.index(priority if priority in _PRIORITIES else "normal")
