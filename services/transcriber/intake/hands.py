"""The calls in this worker's hands, by the records they came by. Used by `calls`; from several threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pipeline.contracts.events import TranscriptReady
from pipeline.errors import Postponed
from pipeline.stream.ports import Message
from services.transcriber.intake.markers import Start
from services.transcriber.intake.shares import Place

_Place: TypeAlias = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Taken:
    """How a call was taken on.

    Attributes:
        found: The announcement of the transcript that lies there already.
        given_up: Whether it has crashed too many workers.
    """

    found: TranscriptReady | None = None
    given_up: bool = False


@dataclass(slots=True, eq=False)
class Hand:
    """A call in this worker's hands.

    Attributes:
        call: Its name, see `markers.call_name`; empty before it is taken on.
        start: Ours, while it is marked and not over.
        inside: Whether it is in the gate.
        alone: Whether it went in to be alone there.
        place: The place that it has among calls under way.
        ours: Whether its record is still ours.
        transcribed: Whether the engine has heard it.
        beats: Signs of life given.
        taken: How it was taken on.
    """

    call: str = ""
    start: Start | None = None
    inside: bool = False
    alone: bool = False
    place: Place | None = None
    ours: bool = True
    transcribed: bool = False
    beats: int = 0
    taken: Taken = Taken()


class Hands:
    """All of them."""

    def __init__(self) -> None:
        self._hands: dict[_Place, Hand] = {}
        self._lock = threading.Lock()
        self._thread = threading.local()
        self._draining = False

    def pick(self, message: Message) -> Hand:
        """Have this thread carry the call of a record; one that is in hand already is the same again."""
        with self._lock:
            hand = self._hands.setdefault(_place(message), Hand())
        self._thread.hand = hand
        return hand

    @property
    def current(self) -> Hand:
        """The one that this thread carries."""
        hand: Hand = self._thread.hand
        return hand

    def drop(self, message: Message) -> None:
        """The record is done with."""
        with self._lock:
            self._hands.pop(_place(message), None)

    def drain(self) -> None:
        """From now on no call goes on that has not begun."""
        self._draining = True

    def check(self, hand: Hand) -> None:
        """Go on only with what is ours to do.

        Raises:
            Postponed: The worker drains, or the call is another's now.
        """
        if self._draining:
            raise Postponed("the worker drains")
        if not hand.ours:
            raise Postponed("the call is another's now")

    def check_call(self, call: str) -> None:
        """The same, by the call's name.

        Raises:
            Postponed: See `check`.
        """
        with self._lock:
            hands = [hand for hand in self._hands.values() if hand.call == call]
        for hand in hands:
            self.check(hand)

    def disown(self, messages: Sequence[Message]) -> None:
        """The records are another's now."""
        with self._lock:
            for message in messages:
                if (hand := self._hands.get(_place(message))) is not None:
                    hand.ours = False

    def leave(self, messages: Sequence[Message]) -> list[Start]:
        """Let go of records, finished or not; the starts that were marked for them."""
        with self._lock:
            hands = [hand for message in messages if (hand := self._hands.pop(_place(message), None)) is not None]
            starts = [hand.start for hand in hands if hand.start is not None]
            for hand in hands:
                hand.ours = False
        return starts

    def beats(self) -> list[tuple[Start, int]]:
        """The next sign of life, by its number, of every start that goes on here though its record is another's."""
        found: list[tuple[Start, int]] = []
        with self._lock:
            for hand in self._hands.values():
                if not hand.ours and hand.start is not None:
                    hand.beats += 1
                    found.append((hand.start, hand.beats))
        return found


def _place(message: Message) -> _Place:
    return message.topic, message.partition, message.offset
