"""Windows and what an engine hears in them: the values that cross the engine's port. See `ports.Engine`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.transcriber.domain.timeline import Piece, to_seconds


@dataclass(frozen=True, slots=True)
class MelFile:
    """Where a window's log-mel spectrum lies: float32, shape (bins, frames), C order.

    Attributes:
        path: A file of the channel; holds those of other windows too.
        offset_bytes: Where this one begins.
        bins: 80 or 128.
        frames: One every 10 ms.
    """

    path: Path
    offset_bytes: int
    bins: int
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Packed speech of one channel of one call. Small: the samples stay in the channel's file.

    Attributes:
        call: Tells windows of different calls apart in a batch; opaque.
        channel: Index of the channel in its recording.
        index: Position among the channel's windows.
        pieces: What is heard, one straight after the other.
        pcm: The channel's samples: raw float32, 16 kHz, mono.
        quietest: The sample of what is heard at which it is best cut in two; 0 where it is not to be cut.
        mel: Its spectrum, where the front end has computed it.
    """

    call: str
    channel: int
    index: int
    pieces: tuple[Piece, ...]
    pcm: Path
    quietest: int = 0
    mel: MelFile | None = None

    @property
    def samples(self) -> int:
        """How much is heard."""
        return sum(piece.span.samples for piece in self.pieces)

    @property
    def duration_s(self) -> float:
        """How much is heard."""
        return to_seconds(self.samples)


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word, its seconds counted from the window's start, as raw as the engine gave it (glued words have no space)."""

    text: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A stretch of a window that stayed nonsense after every retry; seconds from the window's start."""

    start_s: float
    end_s: float
    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowWords:
    """What the engine heard in one window.

    Attributes:
        words: In order.
        given_up: Stretches whose text is not to be trusted.
        avg_logprob: Mean log probability of the tokens, the worst of the window's parts; does not see loops.
        no_speech_prob: Probability that nobody speaks.
        compression_ratio: Of the text, the largest of the window's parts; loops compress well.
        retries: How often it, or a part of it, was decoded again.
        languages: Probability by language; only where no language was given.
        engine_ms: Its share of the time that its batches took.
    """

    words: tuple[HeardWord, ...]
    given_up: tuple[GivenUp, ...] = ()
    avg_logprob: float = 0.0
    no_speech_prob: float = 0.0
    compression_ratio: float = 0.0
    retries: int = 0
    languages: Mapping[str, float] = field(default_factory=dict)
    engine_ms: float = 0.0
