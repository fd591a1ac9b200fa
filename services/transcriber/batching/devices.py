"""A recognizer as the dispatcher knows it: its slots, what they have in hand, how it fares. Used by `dispatcher`."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from services.transcriber.batching.calls import CallInHand
from services.transcriber.batching.courses import Course
from services.transcriber.batching.former import Waiting
from services.transcriber.domain.hearing import Capacity
from services.transcriber.ports import Recognizer

#: So many failures of a device in a row, and it is out.
SICK_AFTER_FAILURES: Final = 3
#: A call with a so-manieth of the speech of all that the slots have in hand does not wait for them.
SMALL_BESIDE: Final = 10

Owner = tuple[CallInHand, Course]
Taken = list[Waiting[Owner]]


class Lane(Enum):
    """How a batch came into hand."""

    MAIN = auto()
    #: Beside the slots, because it is small and they have long calls in hand.
    EXPRESS = auto()


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
        self._in_hand: dict[Lane, list[Taken]] = {lane: [] for lane in Lane}
        self.is_sick = False
        self._failures = 0

    @property
    def is_idle(self) -> bool:
        """Whether a slot has nothing to do."""
        return len(self._in_hand[Lane.MAIN]) < self.capacity.slots

    @property
    def in_hand(self) -> list[Taken]:
        """All batches that it has."""
        return [taken for lane in Lane for taken in self._in_hand[lane]]

    @property
    def small_s(self) -> float:
        """How much speech a call may have to be small beside every one that its slots have in hand; 0 while one is idle."""
        if self.is_idle:
            return 0.0
        return min(each.call_s for taken in self._in_hand[Lane.MAIN] for each in taken) / SMALL_BESIDE

    def take(self, taken: Taken, lane: Lane) -> None:
        """It has a batch in hand."""
        self._in_hand[lane].append(taken)

    def let_go(self, taken: Taken) -> None:
        """It has it no more."""
        for batches in self._in_hand.values():
            if taken in batches:
                batches.remove(taken)

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
