from __future__ import annotations

from itertools import chain, pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

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


def lengths_s(windows: list[tuple[Piece, ...]]) -> list[float]:
    return [sum(piece.span.samples for piece in window) / SAMPLE_RATE_HZ for window in windows]


def test_nothing_packs_into_nothing() -> None:
    assert pack([], RULE) == []


def test_a_leftover_is_balanced_away() -> None:
    assert lengths_s(pack(pieces_of([10, 10, 8, 2]), RULE)) == [10, 20] or lengths_s(
        pack(pieces_of([10, 10, 8, 2]), RULE)
    ) == [20, 10]
    assert lengths_s(pack(pieces_of([7.0] * 5), RULE)) in ([14, 21], [21, 14])


@given(
    st.lists(st.floats(0.1, 28.0), max_size=40).map(
        lambda lengths: pieces_of([min(length, 28.0) for length in lengths])
    )
)
def test_windows_hold_every_piece_once_in_order_and_never_too_much(pieces: list[Piece]) -> None:
    windows = pack(pieces, RULE)

    assert list(chain.from_iterable(windows)) == pieces
    assert all(sum(piece.span.samples for piece in window) <= LIMIT for window in windows)


@given(st.lists(st.floats(0.2, 15.0), min_size=2, max_size=40).map(pieces_of))
def test_no_neighbours_could_share_more_evenly(pieces: list[Piece]) -> None:
    for left, right in pairwise(pack(pieces, RULE)):
        left_samples = sum(piece.span.samples for piece in left)
        right_samples = sum(piece.span.samples for piece in right)
        assert left_samples + right_samples > LIMIT
        # Moving the piece at the border would not make the longer one of the two shorter.
        longer = max(left_samples, right_samples)
        assert max(left_samples - left[-1].span.samples, right_samples + left[-1].span.samples) >= longer
        assert max(left_samples + right[0].span.samples, right_samples - right[0].span.samples) >= longer


@given(st.lists(st.floats(0.2, 9.0), min_size=1, max_size=40).map(pieces_of))
def test_speech_in_short_pieces_leaves_no_tail_under_five_seconds(pieces: list[Piece]) -> None:
    windows = pack(pieces, RULE)

    if len(windows) > 1:
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
