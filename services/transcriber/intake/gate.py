"""Calls side by side, or one alone. Used by `calls`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

#: How often whoever waits asks whether to wait on.
_LOOK_EVERY_S: Final = 0.2


class Gate:
    """Lets any number of calls in, or one that has to be alone. Whoever waits to be alone goes before the others."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._together = 0
        self._alone = False
        self._want_alone = 0

    def enter(self, *, alone: bool, still_wanted: Callable[[], None]) -> None:
        """Wait until we may go in.

        Args:
            alone: Whether nobody else may be in.
            still_wanted: Asked now and then, and once more before we go in; raises to give up.
        """
        with self._changed:
            self._want_alone += alone
            try:
                still_wanted()
                while self._alone or (self._together if alone else self._want_alone):
                    self._changed.wait(_LOOK_EVERY_S)
                    still_wanted()
            finally:
                self._want_alone -= alone
                self._changed.notify_all()
            if alone:
                self._alone = True
            else:
                self._together += 1

    def leave(self, *, alone: bool) -> None:
        """Go out again, as we came in."""
        with self._changed:
            if alone:
                self._alone = False
            else:
                self._together -= 1
            self._changed.notify_all()
