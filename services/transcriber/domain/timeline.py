"""Samples and spans of them: every channel is 16 kHz mono from the split on. Used by all of `domain`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SAMPLE_RATE_HZ: Final = 16_000

#: Samples of one frame: what Silero judges at once, and what levels are measured over.
FRAME_SAMPLES: Final = 512
FRAME_S: Final = FRAME_SAMPLES / SAMPLE_RATE_HZ


def to_samples(seconds: float) -> int:
    """Whole samples in so many seconds."""
    return round(seconds * SAMPLE_RATE_HZ)


def to_seconds(samples: int) -> float:
    """Seconds of so many samples."""
    return samples / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Span:
    """Samples `start` to `end` (exclusive) of a channel."""

    start: int
    end: int

    @property
    def samples(self) -> int:
        """Its length."""
        return self.end - self.start

    @property
    def frames(self) -> slice:
        """The frames that it touches."""
        return slice(self.start // FRAME_SAMPLES, -(-self.end // FRAME_SAMPLES))


@dataclass(frozen=True, slots=True)
class Piece:
    """Speech between two pauses of one channel.

    Attributes:
        span: What the engine hears: the speech with a little pause on both sides. Pieces of a channel never overlap.
        speech: Where the voice itself was detected, inside `span`.
    """

    span: Span
    speech: Span
