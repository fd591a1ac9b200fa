"""Words heard in windows go back to where they were said. Called by `domain.result`; turns come next.

Whichever order a batch brought them in, the words of a channel ascend in time afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from services.transcriber.domain.timeline import Piece, Span, to_samples, to_seconds
from services.transcriber.domain.windows import GivenUp, HeardWord, Window, WindowWords

#: Words begin at most so long before the voice was detected: soft consonants come before it.
ONSET_S = 0.1


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word in the call's own time."""

    text: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True, slots=True)
class Utterance:
    """The words of one piece of speech: what one channel said between two pauses."""

    channel: int
    piece: Piece
    words: tuple[SpokenWord, ...]

    @property
    def text(self) -> str:
        """Its words in a line."""
        return " ".join(word.text for word in self.words)

    @property
    def start_s(self) -> float:
        """Where its first word begins."""
        return self.words[0].start_s

    @property
    def end_s(self) -> float:
        """Where its last word ends."""
        return self.words[-1].end_s


def utterances(heard: Iterable[tuple[Window, WindowWords]]) -> list[Utterance]:
    """What was said, by channel and time, each word inside its piece, starts never descending within a channel.

    Args:
        heard: Windows of one call with their words, in any order.
    """
    ordered = sorted(heard, key=lambda pair: (pair[0].channel, pair[0].index))
    return [utterance for window, words in ordered for utterance in _of_window(window, _glued(words.words))]


def _of_window(window: Window, words: Iterable[HeardWord]) -> Iterator[Utterance]:
    offsets = _offsets(window.pieces)
    indices_ascend = 0
    placed: list[tuple[int, HeardWord]] = []
    for word in words:
        middle = to_samples((word.start_s + word.end_s) / 2)
        # A word whose midpoint lies before its predecessor's piece stays with it: text order is never wrong, times are.
        indices_ascend = max(indices_ascend, _piece_at(middle, offsets))
        placed.append((indices_ascend, word))
    for index, group in groupby(placed, key=lambda pair: pair[0]):
        piece = window.pieces[index]
        shift = piece.span.start - offsets[index]
        yield Utterance(window.channel, piece, tuple(_in_piece((word for _, word in group), piece, shift)))


def _offsets(pieces: Sequence[Piece]) -> list[int]:
    """Where in the window each piece begins, samples."""
    return [0, *accumulate(piece.span.samples for piece in pieces[:-1])]


def _piece_at(sample: int, offsets: Sequence[int]) -> int:
    return max(0, sum(offset <= sample for offset in offsets) - 1)


def _in_piece(words: Iterable[HeardWord], piece: Piece, shift: int) -> Iterator[SpokenWord]:
    """Words in call time, clamped to where the voice was heard, never descending."""
    earliest = max(to_seconds(piece.span.start), to_seconds(piece.speech.start) - ONSET_S)
    latest = to_seconds(piece.span.end)
    for word in words:
        start_s = min(max(word.start_s + to_seconds(shift), earliest), latest)
        end_s = min(max(word.end_s + to_seconds(shift), start_s), latest)
        yield SpokenWord(word.text, round(start_s, 3), round(end_s, 3), word.probability)
        earliest = start_s


def _glued(words: Iterable[HeardWord]) -> list[HeardWord]:
    """Whole words: what begins without a space (`-то`, a closing mark) belongs to the word before it."""
    whole: list[HeardWord] = []
    for word in words:
        if whole and not word.text.startswith(" "):
            last = whole[-1]
            whole[-1] = HeardWord(
                last.text + word.text,
                last.start_s,
                max(last.end_s, word.end_s),
                min(last.probability, word.probability),
            )
        else:
            whole.append(word)
    return [
        HeardWord(word.text.strip(), word.start_s, word.end_s, word.probability) for word in whole if word.text.strip()
    ]


def given_up(heard: Iterable[tuple[Window, WindowWords]]) -> Iterator[tuple[int, float, float, GivenUp]]:
    """Channel, start and end in call time of each stretch that the engine gave up."""
    for window, words in heard:
        offsets = _offsets(window.pieces)
        for lost in words.given_up:
            start_s, end_s = (_call_time(window, offsets, to_samples(at)) for at in (lost.start_s, lost.end_s))
            yield window.channel, start_s, end_s, lost


def _call_time(window: Window, offsets: Sequence[int], sample: int) -> float:
    index = _piece_at(sample, offsets)
    span: Span = window.pieces[index].span
    return round(to_seconds(min(span.start + sample - offsets[index], span.end)), 3)
