from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transcriber.domain.crosstalk import Frames
from services.transcriber.domain.packing import PackingRule, cut_long, pack
from services.transcriber.domain.timeline import FRAME_SAMPLES, SAMPLE_RATE_HZ, Piece, Span, to_samples

RULE = PackingRule(window_s=28.0, window_slack_s=2.0)
LIMIT = to_samples(28.0)


def pieces_of(lengths_s: list[float], gap_s: float = 1.0) -> list[Piece]:
    begin, pieces = 0, []
    for length_s in lengths_s:
        span = Span(begin, begin + to_samples(length_s))
        pieces.append(Piece(span, span))
        begin = span.end + to_samples(gap_s)
    return pieces


def levels_of(pieces: list[Piece]) -> Frames:
    """A level for each frame; speech that falls and rises, never the same twice in a row."""
    frames = pieces[-1].span.frames.stop if pieces else 0
    return np.asarray(-30 + 10 * np.sin(np.arange(frames) / 7), dtype=np.float32)


def packed(pieces: list[Piece], rule: PackingRule = RULE) -> list[tuple[Piece, ...]]:
    return pack(pieces, levels_of(pieces), rule)


def joined(pieces: Iterable[Piece]) -> list[Span]:
    """Spans, those that touch as one."""
    spans: list[Span] = []
    for piece in pieces:
        if spans and spans[-1].end == piece.span.start:
            spans[-1] = Span(spans[-1].start, piece.span.end)
        else:
            spans.append(piece.span)
    return spans


def lengths_s(windows: list[tuple[Piece, ...]]) -> list[float]:
    return [sum(piece.span.samples for piece in window) / SAMPLE_RATE_HZ for window in windows]


def test_nothing_packs_into_nothing() -> None:
    assert packed([]) == []


def test_a_leftover_is_balanced_away() -> None:
    assert lengths_s(packed(pieces_of([10, 10, 8, 2]))) in ([10, 20], [20, 10])
    assert lengths_s(packed(pieces_of([7.0] * 5))) in ([14, 21], [21, 14])


@pytest.mark.parametrize("lengths", [[27.0, 2.0], [2.0, 27.0], [28.0, 2.0, 27.0], [3.0, 24.0, 2.0], [4.0, 20.0, 4.5]])
def test_where_no_pause_divides_better_speech_is_cut_where_it_is_quietest(lengths: list[float]) -> None:
    pieces = pieces_of(lengths)
    long = max(pieces, key=lambda piece: piece.span.samples)
    levels_db = np.full(pieces[-1].span.frames.stop, -20, dtype=np.float32)
    quiet = (long.span.start + long.span.samples // 2) // FRAME_SAMPLES
    levels_db[quiet] = -50

    windows = pack(pieces, levels_db, RULE)

    assert any(piece.span.end == quiet * FRAME_SAMPLES for window in windows for piece in window)
    assert joined(chain.from_iterable(windows)) == [piece.span for piece in pieces]
    assert min(lengths_s(windows)) >= 5.0


def test_a_piece_between_two_short_ones_is_cut_once_for_both() -> None:
    windows = packed(pieces_of([2.0, 27.0, 2.0]))

    assert len(windows) == 2
    assert min(lengths_s(windows)) >= 5.0


def test_what_is_all_the_speech_of_a_channel_may_be_short() -> None:
    assert lengths_s(packed(pieces_of([2.0]))) == [2.0]


def test_windows_that_can_not_all_be_long_enough_stay_whole() -> None:
    assert lengths_s(packed(pieces_of([8.0, 1.0]), PackingRule(window_s=8.0))) == [8.0, 1.0]


@given(
    st.lists(st.floats(0.1, 28.0), max_size=40).map(
        lambda lengths: pieces_of([min(length, 28.0) for length in lengths])
    )
)
def test_windows_hold_all_speech_once_in_order_and_never_too_much_nor_too_little(pieces: list[Piece]) -> None:
    windows = packed(pieces)

    assert joined(chain.from_iterable(windows)) == [piece.span for piece in pieces]
    assert all(sum(piece.span.samples for piece in window) <= LIMIT for window in windows)
    if len(windows) > 1:
        assert min(lengths_s(windows)) >= 5.0


@given(st.lists(st.floats(0.2, 15.0), min_size=2, max_size=40).map(pieces_of))
def test_no_neighbours_could_share_more_evenly(pieces: list[Piece]) -> None:
    for left, right in pairwise(packed(pieces)):
        left_samples = sum(piece.span.samples for piece in left)
        right_samples = sum(piece.span.samples for piece in right)
        assert left_samples + right_samples > LIMIT
        # Moving the piece at the border would not make the longer one of the two shorter.
        longer = max(left_samples, right_samples)
        assert max(left_samples - left[-1].span.samples, right_samples + left[-1].span.samples) >= longer
        assert max(left_samples + right[0].span.samples, right_samples - right[0].span.samples) >= longer


@given(st.lists(st.floats(0.2, 15.0), min_size=1, max_size=40).map(pieces_of))
def test_speech_with_pauses_is_never_cut(pieces: list[Piece]) -> None:
    assert list(chain.from_iterable(packed(pieces))) == pieces


@given(st.floats(8.0, 29.0), st.data())
def test_windows_of_any_length_end_and_hold_all_speech(window_s: float, data: st.DataObject) -> None:
    limit_s = to_samples(window_s) / SAMPLE_RATE_HZ
    pieces = pieces_of(data.draw(st.lists(st.floats(0.1, limit_s), max_size=30)))

    windows = packed(pieces, PackingRule(window_s=window_s))

    assert joined(chain.from_iterable(windows)) == [piece.span for piece in pieces]
    assert all(length <= limit_s for length in lengths_s(windows))
    if len(windows) > 1 and window_s > 10.1:
        assert min(lengths_s(windows)) >= 5.0


@given(
    st.floats(28.1, 400.0), st.lists(st.floats(-60, -10), min_size=1, max_size=50), st.integers(0, 10 * SAMPLE_RATE_HZ)
)
def test_long_pieces_are_cut_to_fit_without_loss(length_s: float, levels: list[float], begin: int) -> None:
    span = Span(begin, begin + to_samples(length_s))
    levels_db = np.resize(np.array(levels, dtype=np.float32), span.frames.stop)

    parts = list(cut_long([Piece(span, span)], levels_db, RULE))

    assert parts[0].span.start == span.start
    assert parts[-1].span.end == span.end
    assert all(left.span.end == right.span.start for left, right in pairwise(parts))
    assert all(0 < part.span.samples <= LIMIT for part in parts)
    assert all(part.span.samples >= to_samples(5.0) for part in parts)


def test_a_long_piece_is_cut_where_it_is_quietest() -> None:
    span = Span(0, to_samples(40.0))
    levels_db = np.full(span.frames.stop, -20, dtype=np.float32)
    quiet = to_samples(20.4) // FRAME_SAMPLES
    levels_db[quiet] = -50

    first, second = cut_long([Piece(span, Span(1000, span.end - 1000))], levels_db, RULE)

    assert first.span.end == second.span.start == quiet * FRAME_SAMPLES
    assert (first.speech, second.speech) == (Span(1000, first.span.end), Span(second.span.start, span.end - 1000))


def test_short_pieces_stay_whole() -> None:
    pieces = pieces_of([3.0, 28.0])

    assert list(cut_long(pieces, np.zeros(1, dtype=np.float32), RULE)) == pieces
