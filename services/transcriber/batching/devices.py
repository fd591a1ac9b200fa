"""A recognizer as the dispatcher knows it: its slots, what they have in hand, how it fares. Used by `dispatcher`."""

from __future__ import annotations

from typing import Final

from services.transcriber.batching.calls import CallInHand
from services.transcriber.batching.courses import Course
from services.transcriber.batching.former import Waiting
from services.transcriber.domain.hearing import Capacity
from services.transcriber.ports import Recognizer

#: So many failures of a device in a row, and it is out.
SICK_AFTER_FAILURES: Final = 3

Owner = tuple[CallInHand, Course]
Taken = list[Waiting[Owner]]


class Device:
    """One of them.

    Args:
        number: Tells it apart.
        recognizer: What works on it.
        capacity: What it takes.
    """

    def __init__(self, number: int, recognizer: Recognizer, capacity: Capacity) -> None:
        self.number = number
        self.recognizer = recognizer
        self.capacity = capacity
        self.batch_size = capacity.batch_size
        self.in_hand: list[Taken] = []
        self.is_sick = False
        self._failures = 0

    @property
    def is_idle(self) -> bool:
        """Whether a slot has nothing to do."""
        return len(self.in_hand) < self.capacity.slots

    def heard(self) -> None:
        """It works."""
        self._failures = 0

    def failed(self) -> None:
        """It did not work, whatever it was given."""
        self._failures += 1
        self.is_sick = self._failures >= SICK_AFTER_FAILURES

    def was_given_too_much(self, passages: int) -> bool:
        """Its memory did not suffice for so many: half as many from now on; False when it was one alone."""
        if passages == 1:
            return False
        self.batch_size = min(self.batch_size, passages // 2)
        return True
