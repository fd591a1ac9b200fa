"""Speech probabilities per frame become pieces of speech: a switch with hysteresis, then padding.

Called by `domain.preparation`; the probabilities come from Silero. Pieces go on to `crosstalk` and `packing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from services.transcriber.domain.timeline import FRAME_SAMPLES, Piece, Span, to_samples


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRule:
    """When a voice begins and ends.

    Attributes:
        threshold: A frame at or above it begins speech.
        end_threshold: Frames below it are a pause; between the two, speech goes on.
        min_silence_s: A shorter pause does not end a piece.
        min_speech_s: A shorter burst is no speech.
        pad_s: Pause that is kept on both sides of a piece; where two pieces are near, they share what lies between.
    """

    threshold: float = 0.5
    end_threshold: float = 0.35
    min_silence_s: float = 0.3
    min_speech_s: float = 0.1
    pad_s: float = 0.3


def find_pieces(probabilities: Iterable[float], samples: int, rule: SpeechRule) -> list[Piece]:
    """The pieces of a channel, in order, never overlapping.

    Args:
        probabilities: Of speech, one per frame of FRAME_SAMPLES.
        samples: The channel's length; nothing reaches beyond it.
        rule: When a voice begins and ends.
    """
    shortest = to_samples(rule.min_speech_s)
    bursts = (Span(burst.start, min(burst.end, samples)) for burst in _bursts(probabilities, rule))
    return _padded([burst for burst in bursts if burst.samples >= shortest], samples, to_samples(rule.pad_s))


def _bursts(probabilities: Iterable[float], rule: SpeechRule) -> Iterator[Span]:
    """Speech without padding. The last burst may end beyond the channel: the last frame is not full."""
    patience = rule.min_silence_s * to_samples(1) / FRAME_SAMPLES
    begin: int | None = None
    pause: int | None = None
    frame = -1
    for frame, probability in enumerate(probabilities):
        if probability >= rule.threshold:
            begin = frame if begin is None else begin
            pause = None
        elif begin is not None and probability < rule.end_threshold:
            pause = frame if pause is None else pause
            if frame + 1 - pause >= patience:
                yield Span(begin * FRAME_SAMPLES, pause * FRAME_SAMPLES)
                begin = pause = None
    if begin is not None:
        yield Span(begin * FRAME_SAMPLES, (frame + 1 if pause is None else pause) * FRAME_SAMPLES)


def _padded(bursts: list[Span], samples: int, pad: int) -> list[Piece]:
    """Pauses between two pieces are shared; those at the call's ends need not be."""
    shared = [min((burst.start - last.end) // 2, pad) for last, burst in pairwise(bursts)]
    lead = [min(burst.start, pad) for burst in bursts[:1]]
    trail = [min(samples - burst.end, pad) for burst in bursts[-1:]]
    return [
        Piece(Span(burst.start - left, burst.end + right), burst)
        for burst, left, right in zip(bursts, lead + shared, shared + trail, strict=True)
    ]
