"""Pieces of one channel become windows of at most so many seconds. Called by `domain.preparation`.

As few windows as possible, and those as equal as possible: a short leftover makes the engine loop. Where pauses alone would
leave one, speech beside it is cut to fill it. A window never holds two channels or two calls, so nobody's words can appear in
another's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from services.transcriber.domain.crosstalk import Frames
from services.transcriber.domain.timeline import FRAME_SAMPLES, Piece, Span, to_samples


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingRule:
    """How large windows are.

    Attributes:
        window_s: No window holds more speech than this.
        window_least_s: Nor less, where the channel has more. Not for windows of less than twice this.
        window_slack_s: A piece longer than a window is cut at the quietest frame within so much of an equal division.
    """

    window_s: float = 28.0
    window_least_s: float = 5.0
    window_slack_s: float = 2.0


def cut_long(pieces: Iterable[Piece], levels_db: Frames, rule: PackingRule) -> Iterator[Piece]:
    """The same speech in pieces that fit a window; long ones cut where it is quietest.

    Args:
        pieces: Of one channel.
        levels_db: The channel's level per frame.
        rule: How large windows are.
    """
    limit, slack = to_samples(rule.window_s), to_samples(rule.window_slack_s)
    for piece in pieces:
        if piece.span.samples <= limit:
            yield piece
        else:
            yield from _cut(piece, levels_db, ceil(piece.span.samples / (limit - slack)), slack)


def _cut(piece: Piece, levels_db: Frames, parts: int, slack: int) -> Iterator[Piece]:
    """The piece in so many parts, each at most `slack` longer than an equal one."""
    begin = piece.span.start
    for part in range(1, parts):
        ideal = piece.span.start + piece.span.samples * part // parts
        end = _quietest(levels_db, ideal - slack // 2, ideal + slack // 2)
        yield _part(piece, Span(begin, end))
        begin = end
    yield _part(piece, Span(begin, piece.span.end))


def _part(piece: Piece, span: Span) -> Piece:
    speech = Span(max(piece.speech.start, span.start), min(piece.speech.end, span.end))
    return Piece(span, speech if speech.samples > 0 else span)


def _quietest(levels_db: Frames, earliest: int, latest: int) -> int:
    first = ceil(earliest / FRAME_SAMPLES)
    candidates = levels_db[first : latest // FRAME_SAMPLES]
    return (first + int(np.argmin(candidates))) * FRAME_SAMPLES


def pack(pieces: Sequence[Piece], levels_db: Frames, rule: PackingRule) -> list[tuple[Piece, ...]]:
    """Consecutive pieces in windows: the fewest, of those divisions one without short windows, of those the most even one.

    A piece beside a window that would be short (27 s and 2 s: no pause divides them better) is cut where it is quietest.

    Args:
        pieces: Of one channel, in order, none longer than a window.
        levels_db: The channel's level per frame.
        rule: How large windows are.
    """
    windows = _divided(pieces, rule)
    # Every cut makes windows fewer, or fewer of them short: this ends.
    while cuts := _cuts(windows, levels_db, rule):
        pieces = [part for piece in pieces for part in _cut_at(piece, cuts.get(piece.span.start))]
        windows = _divided(pieces, rule)
    return windows


def _cuts(windows: Sequence[tuple[Piece, ...]], levels_db: Frames, rule: PackingRule) -> dict[int, int]:
    """Where pieces beside short windows are to be cut, by the piece's start."""
    cuts: dict[int, int] = {}
    least = to_samples(rule.window_least_s)
    for index, window in enumerate(windows if len(windows) > 1 else ()):
        short = _samples(window)
        if short >= least:
            continue
        neighbour = windows[index - 1 if index else 1]
        both = short + _samples(neighbour)
        # Each of the two gets at least a quarter: the wider the choice, the quieter the cut.
        fewest, most = max(both // 4, least) - short, both - max(both // 4, least) - short
        piece = neighbour[-1 if index else 0]
        if most - fewest < 2 * FRAME_SAMPLES or most >= piece.span.samples:
            continue
        earliest = piece.span.end - most if index else piece.span.start + fewest
        cuts[piece.span.start] = _quietest(levels_db, earliest, earliest + most - fewest)
    return cuts


def _cut_at(piece: Piece, sample: int | None) -> tuple[Piece, ...]:
    if sample is None:
        return (piece,)
    return _part(piece, Span(piece.span.start, sample)), _part(piece, Span(sample, piece.span.end))


def _samples(window: Sequence[Piece]) -> int:
    return sum(piece.span.samples for piece in window)


def _divided(pieces: Sequence[Piece], rule: PackingRule) -> list[tuple[Piece, ...]]:
    limit, least = to_samples(rule.window_s), to_samples(rule.window_least_s)
    # best[i]: (windows, short ones, sum of squared lengths, start of the last window) for the first i pieces.
    best: list[tuple[int, int, int, int]] = [(0, 0, 0, 0)]
    for end in range(1, len(pieces) + 1):
        length = 0
        options: list[tuple[int, int, int, int]] = []
        for start in range(end - 1, -1, -1):
            length += pieces[start].span.samples
            if length > limit and options:
                break
            windows, short, squares, _ = best[start]
            options.append((windows + 1, short + (length < least), squares + length**2, start))
        best.append(min(options))
    return _follow(pieces, best)


def _follow(pieces: Sequence[Piece], best: Sequence[tuple[int, int, int, int]]) -> list[tuple[Piece, ...]]:
    windows: list[tuple[Piece, ...]] = []
    end = len(pieces)
    while end > 0:
        start = best[end][3]
        windows.append(tuple(pieces[start:end]))
        end = start
    return windows[::-1]


def quietest_sample(pieces: Sequence[Piece], levels_db: Frames) -> int:
    """Where a window is best cut in two: the quietest frame between a quarter and three quarters of what is heard.

    Args:
        pieces: The window's.
        levels_db: The channel's level per frame.

    Returns:
        The sample, counted as heard; 0 where there is no frame in between.
    """
    total = sum(piece.span.samples for piece in pieces)
    begin = 0
    quietest: tuple[float, int] | None = None
    for piece in pieces:
        first = ceil(max(piece.span.start, piece.span.start + total // 4 - begin) / FRAME_SAMPLES)
        last = min(piece.span.end, piece.span.start + total * 3 // 4 - begin) // FRAME_SAMPLES
        if last > first:
            frame = first + int(np.argmin(levels_db[first:last]))
            level = float(levels_db[frame])
            if quietest is None or level < quietest[0]:
                quietest = level, begin + frame * FRAME_SAMPLES + FRAME_SAMPLES // 2 - piece.span.start
        begin += piece.span.samples
    return 0 if quietest is None else quietest[1]
