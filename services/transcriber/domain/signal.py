"""How well a channel was recorded: level, noise, clipping. Called by `adapters.listening`; `verdict` and `quality` judge.

Whoever hears badly often had little to hear: these figures tell a poor line from a poor model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.transcriber.domain.preparation import ChannelFrames
from services.transcriber.domain.timeline import Piece

#: A frame whose level is lower holds nothing, not even a line's noise.
_NOTHING_DB: Final = -110.0
_LOUD_PERCENTILE: Final = 99
_CLEARLY_LOUDER_DB: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Of one channel; levels are RMS, dB full scale.

    Attributes:
        level_db: While its own voice speaks; None: it does not.
        noise_db: Between speech; None: there is no sound between, or nothing but speech.
        loudest_db: What one frame in a hundred exceeds, whatever it holds; None: digital silence throughout.
        clipped_share: Share of the speech that touches the end of the scale, 0 to 1.
    """

    level_db: float | None = None
    noise_db: float | None = None
    loudest_db: float | None = None
    clipped_share: float = 0.0

    @property
    def snr_db(self) -> float | None:
        """How far speech stands above the noise, the noise in it taken off; None where one of them is missing."""
        if self.level_db is None or self.noise_db is None:
            return None
        above = 10 ** ((self.level_db - self.noise_db) / 10) - 1
        return float(10 * np.log10(max(above, 1e-3)))


def signal_of(frames: ChannelFrames, own: Iterable[Piece], leaks: Iterable[Piece] = ()) -> Signal:
    """What the frames say.

    Args:
        frames: The channel as measured.
        own: Its own speech.
        leaks: What leaked into it: neither speech nor noise.
    """
    voice, leak = _covered(frames, own), _covered(frames, leaks)
    sounding = frames.levels_db > _NOTHING_DB
    loud, noise = frames.levels_db[sounding], frames.levels_db[sounding & ~voice & ~leak]
    return Signal(
        level_db=_mean_db(frames.levels_db[voice & sounding]),
        noise_db=float(np.median(noise)) if noise.size else None,
        loudest_db=float(np.percentile(loud, _LOUD_PERCENTILE)) if loud.size else None,
        clipped_share=float(frames.clipped[voice].mean()) if voice.any() else 0.0,
    )


def loudest(channels: Sequence[ChannelFrames]) -> int:
    """Of channels with the same voices, the one to hear: the first, unless another is clearly louder."""
    levels_db = [float(np.percentile(channel.levels_db, _LOUD_PERCENTILE)) for channel in channels]
    best = int(np.argmax(levels_db))
    return best if levels_db[best] >= levels_db[0] + _CLEARLY_LOUDER_DB else 0


def _covered(frames: ChannelFrames, pieces: Iterable[Piece]) -> NDArray[np.bool_]:
    covered = np.zeros(len(frames.levels_db), dtype=np.bool_)
    for piece in pieces:
        covered[piece.speech.frames] = True
    return covered


def _mean_db(levels_db: NDArray[np.float32]) -> float | None:
    return float(10 * np.log10(np.mean(10 ** (levels_db / 10.0)))) if levels_db.size else None
