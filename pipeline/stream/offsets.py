"""Which offset may be committed when work finishes out of order. Used by `runner` only, on its polling thread."""

from __future__ import annotations


class OffsetTracker:
    """One partition during one assignment. A new assignment gets a new tracker, so late work of an old one is mute.

    The law: the committed offset never passes the smallest unfinished one.
    """

    def __init__(self) -> None:
        self._unfinished: dict[int, None] = {}  # in order of arrival, which is ascending
        self._next: int | None = None
        self._committed: int | None = None
        self.over = False
        """Whether the assignment has ended: what is unfinished is the next owner's."""

    def start(self, offset: int) -> None:
        """Work on this offset begins."""
        if self._committed is None:
            self._committed = offset  # where the group stood: nothing to say again
        self._unfinished[offset] = None
        self._next = offset + 1

    def finish(self, offset: int) -> None:
        """Work on this offset is done: effect applied, events published."""
        self._unfinished.pop(offset, None)

    def committable(self) -> int | None:
        """The next offset to read after a restart, None if nothing is new since `committed`."""
        position = next(iter(self._unfinished), self._next)
        return None if position == self._committed else position

    def committed(self, position: int) -> None:
        """The broker has this position now."""
        self._committed = position

    @property
    def in_flight(self) -> int:
        """How many offsets are unfinished."""
        return len(self._unfinished)
