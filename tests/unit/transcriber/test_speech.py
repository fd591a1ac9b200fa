from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.transcriber.domain.speech import SpeechRule, find_pieces
from services.transcriber.domain.timeline import FRAME_SAMPLES, Piece, Span, to_samples

RULE = SpeechRule(min_silence_s=0.32, min_speech_s=0.1, pad_s=0.064)
PAD = to_samples(0.064)


def frames(start: int, end: int) -> Span:
    return Span(start * FRAME_SAMPLES, end * FRAME_SAMPLES)


def found(probabilities: list[float], rule: SpeechRule = RULE) -> list[Piece]:
    return find_pieces(probabilities, len(probabilities) * FRAME_SAMPLES, rule)


def test_silence_has_no_pieces() -> None:
    assert found([0.0] * 50) == []
    assert found([]) == []


def test_a_voice_is_found_where_it_is_and_padded() -> None:
    [piece] = found([0.0] * 20 + [0.9] * 10 + [0.0] * 20)

    assert piece.speech == frames(20, 30)
    assert piece.span == Span(piece.speech.start - PAD, piece.speech.end + PAD)


def test_padding_ends_where_the_call_ends() -> None:
    [piece] = found([0.9] * 10)

    assert piece.span == piece.speech == frames(0, 10)


def test_a_short_pause_does_not_cut() -> None:
    [piece] = found([0.9] * 10 + [0.0] * 9 + [0.9] * 10 + [0.0] * 20)

    assert piece.speech == frames(0, 29)


def test_a_pause_cuts_and_near_pieces_share_it() -> None:
    first, second = found([0.9] * 10 + [0.0] * 10 + [0.9] * 10, SpeechRule(min_silence_s=0.32, pad_s=0.3))

    assert (first.speech, second.speech) == (frames(0, 10), frames(20, 30))
    assert first.span.end == second.span.start == 15 * FRAME_SAMPLES


def test_between_the_thresholds_speech_goes_on_but_does_not_begin() -> None:
    assert found([0.4] * 30) == []
    [piece] = found([0.9] * 5 + [0.4] * 30 + [0.0] * 20)
    assert piece.speech == frames(0, 35)


def test_a_click_is_no_speech() -> None:
    assert found([0.0] * 10 + [0.9] * 2 + [0.0] * 30) == []


def test_the_last_frame_may_not_be_full() -> None:
    [piece] = find_pieces([0.9] * 10, 9 * FRAME_SAMPLES + 7, RULE)

    assert piece.speech.end == piece.span.end == 9 * FRAME_SAMPLES + 7


@given(
    probabilities=st.lists(st.sampled_from([0.0, 0.2, 0.4, 0.6, 0.9]), max_size=200),
    missing=st.integers(0, FRAME_SAMPLES - 1),
)
def test_pieces_ascend_hold_their_speech_and_lie_within_the_call(probabilities: list[float], missing: int) -> None:
    samples = max(0, len(probabilities) * FRAME_SAMPLES - missing)

    end = 0
    for piece in find_pieces(probabilities, samples, SpeechRule(min_speech_s=0.03)):
        assert end <= piece.span.start <= piece.speech.start < piece.speech.end <= piece.span.end <= samples
        end = piece.span.end
