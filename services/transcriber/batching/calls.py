"""A call while its windows are heard: what is in the queue, what is in hand, what has come of it. Used by `dispatcher`.

Every method is called under the dispatcher's lock.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from services.transcriber.batching.courses import Attempt, Course, Ladder
from services.transcriber.domain.hearing import Heard, Hearing
from services.transcriber.domain.windows import Window, WindowWords


class CallInHand:
    """A call's windows on their way.

    Args:
        windows: At least one; all of this call.
        hearing: How they are to be heard.
        ladder: What is tried.
        ahead: So many of its windows stand in the queue at once; the others follow.
    """

    def __init__(self, windows: Sequence[Window], hearing: Hearing, ladder: Ladder, ahead: int) -> None:
        self.name = windows[0].call
        self.speech_s = sum(window.duration_s for window in windows)
        self.hearing = hearing
        self.settled = threading.Event()
        self.error: Exception | None = None
        self.begun = False
        self._courses = [Course(window, ladder) for window in windows]
        self._left = len(windows)
        self._to_come = iter(self._courses)
        self._ahead = ahead
        self._queued = 0
        self._in_hand = 0

    def coming(self) -> Iterator[Course]:
        """The next windows for the queue, as many as it may hold yet."""
        while self._queued < self._ahead:
            course = next(self._to_come, None)
            if course is None:
                return
            self._queued += 1
            yield course

    def taken(self, *, is_first: bool) -> None:
        """One of its passages has been taken out of the queue to be heard; a window's first attempt makes room there."""
        self.begun = True
        self._in_hand += 1
        self._queued -= is_first

    def put_back(self, *, is_first: bool) -> None:
        """One of them has not been heard and is to be taken again."""
        self._queued += is_first
        self.let_go()

    def heard(self, course: Course, attempt: Attempt, heard: Heard, slot_s: float) -> list[Attempt]:
        """One of them has been heard; what is to be heard next because of it."""
        following = course.heard(attempt, heard, slot_s)
        self._left -= course.is_done
        self.let_go()
        return following

    def let_go(self) -> None:
        """One of them is in nobody's hand any more."""
        self._in_hand -= 1
        self._settle()

    def fail(self, error: Exception) -> None:
        """It ends so; what is in hand yet is waited for: its files must last until then."""
        self.error = self.error or error
        self._settle()

    def _settle(self) -> None:
        if self._in_hand == 0 and (self.error is not None or self._left == 0):
            self.settled.set()

    def results(self) -> list[WindowWords]:
        """What was heard in each window, when all is done."""
        return [course.result() for course in self._courses]
