"""What a window needs until it is heard: one attempt as a rule, more where it came out as nonsense. Pure.

first     the cut time axis, the search of the settings
whole     the whole time axis, a wide search; loops often end there
half      the window in two, cut where it is quietest
chance    the same, with a little chance in the search; what stays nonsense then is given up
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from services.transcriber.domain.filters import REPETITION, compression_ratio
from services.transcriber.domain.hearing import Heard, Passage, Search, TimeAxis
from services.transcriber.domain.timeline import Span, to_samples, to_seconds
from services.transcriber.domain.windows import GivenUp, HeardWord, Window, WindowWords

#: Of when and how a window is heard again; raised with every change of the ladder and its values.
VERSION: Final = "1"
#: A model less sure than this is asked once more, on the whole axis; then the surer answer counts.
DOUBTFUL_LOGPROB: Final = -1.0
_UNLIKELY_SPEECH: Final = 0.6
_CAREFUL_BEAM: Final = 5
_CHANCE_TEMPERATURE: Final = 0.4
#: A shorter window is not cut.
_MIN_CUT_SAMPLES: Final = to_samples(2.0)


class Kind(StrEnum):
    """Which attempt at a passage it is."""

    FIRST = "first"
    WHOLE = "whole"
    HALF = "half"
    CHANCE = "chance"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A passage to be heard in one way."""

    passage: Passage
    kind: Kind


@dataclass(frozen=True, slots=True)
class Ladder:
    """How each kind of attempt searches.

    Attributes:
        first: The search of the settings.
        axis: How much time the model looks at.
        searches: Whether another search may hear something else; without, each window is heard once, and the filters alone
            judge what came out.
    """

    first: Search
    axis: TimeAxis
    searches: bool = True

    def search(self, kind: Kind) -> Search:
        """How an attempt searches."""
        match kind:
            case Kind.FIRST:
                return self.first
            case Kind.WHOLE | Kind.HALF:
                return Search(beam_size=max(self.first.beam_size, _CAREFUL_BEAM), whole_axis=True)
            case Kind.CHANCE:
                return Search(beam_size=_CAREFUL_BEAM, temperature=_CHANCE_TEMPERATURE, whole_axis=True)

    def axis_s(self, attempt: Attempt) -> float:
        """How much time the model looks at."""
        if self.search(attempt.kind).whole_axis:
            return self.axis.whole_s
        return self.axis.seconds(attempt.passage.duration_s)

    def differs(self, window: Window) -> bool:
        """Whether the careful search is another one than the first was."""
        first = Attempt(Passage.whole(window), Kind.FIRST)
        return self.axis_s(first) < self.axis.whole_s or self.first.beam_size < _CAREFUL_BEAM


class Course:
    """A window on its way.

    Args:
        window: What is to be heard.
        ladder: How.
    """

    def __init__(self, window: Window, ladder: Ladder) -> None:
        self.window = window
        self._ladder = ladder
        self._doubtful: Heard | None = None
        self._parts: dict[int, tuple[Span, Heard]] = {}
        self._attempts = 0
        self._waiting = 1
        self._slot_s = 0.0

    @property
    def first(self) -> Attempt:
        """What to begin with."""
        return Attempt(Passage.whole(self.window), Kind.FIRST)

    @property
    def is_done(self) -> bool:
        """Whether nothing is to be heard any more."""
        return self._waiting == 0

    def heard(self, attempt: Attempt, heard: Heard, slot_s: float) -> list[Attempt]:
        """What an attempt heard, and the share of a slot's time that it took; what is to be heard next."""
        self._attempts += 1
        self._waiting -= 1
        self._slot_s += slot_s
        following = list(self._after(attempt, heard))
        self._waiting += len(following)
        return following

    def _after(self, attempt: Attempt, heard: Heard) -> Iterator[Attempt]:
        passage = attempt.passage
        if not self._ladder.searches:
            self._parts[passage.part.start] = (passage.part, heard)
            return
        match attempt.kind:
            case Kind.FIRST if heard.failed or _is_doubtful(heard):
                self._doubtful = None if heard.failed else heard
                if self._ladder.differs(self.window):
                    yield Attempt(passage, Kind.WHOLE)
                    return
            case Kind.WHOLE if self._doubtful is not None:
                heard = max(heard, self._doubtful, key=lambda each: (not each.failed, each.avg_logprob))
        if not heard.failed or attempt.kind is Kind.CHANCE:
            self._parts[passage.part.start] = (passage.part, heard)
        elif attempt.kind is Kind.HALF:
            yield Attempt(passage, Kind.CHANCE)
        else:
            yield from self._in_two()

    def _in_two(self) -> Iterator[Attempt]:
        whole = Passage.whole(self.window)
        cut = self.window.quietest
        if not 0 < cut < self.window.samples or self.window.samples < _MIN_CUT_SAMPLES:
            yield Attempt(whole, Kind.CHANCE)
            return
        for part in (Span(0, cut), Span(cut, self.window.samples)):
            yield Attempt(replace(whole, part=part), Kind.HALF)

    def result(self) -> WindowWords:
        """What was heard, when all is done: the parts that still fail are given up."""
        parts = [self._parts[begin] for begin in sorted(self._parts)]
        return WindowWords(
            words=tuple(
                word for part, heard in parts if not self._is_lost(heard) for word in _shifted(heard.words, part)
            ),
            given_up=tuple(
                GivenUp(to_seconds(part.start), to_seconds(part.end), heard.text, REPETITION)
                for part, heard in parts
                if self._is_lost(heard)
            ),
            avg_logprob=min(heard.avg_logprob for _, heard in parts),
            no_speech_prob=min(heard.no_speech_prob for _, heard in parts),
            compression_ratio=max(compression_ratio(heard.text) for _, heard in parts),
            retries=self._attempts - 1,
            languages=parts[0][1].languages,
            engine_ms=self._slot_s * 1000,
        )

    def _is_lost(self, heard: Heard) -> bool:
        return heard.failed and self._ladder.searches


def _is_doubtful(heard: Heard) -> bool:
    return heard.avg_logprob < DOUBTFUL_LOGPROB and heard.no_speech_prob <= _UNLIKELY_SPEECH


def _shifted(words: tuple[HeardWord, ...], part: Span) -> Iterator[HeardWord]:
    begin_s = to_seconds(part.start)
    for word in words:
        yield HeardWord(word.text, begin_s + word.start_s, begin_s + word.end_s, word.probability)
