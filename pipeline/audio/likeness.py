"""Do all channels carry the same sound? Mono calls are often recorded as stereo; `decode` asks while it streams."""

from __future__ import annotations

from typing import Final

import numpy as np

from pipeline.audio.reader import Block

_TOLERANCE: Final = 1e-5
"""-50 dB: what lossy codecs make of equal channels stays below, a second voice does not."""
_SILENCE: Final = 1e-10
"""Mean square (-100 dB of full scale) under which channels are empty rather than equal."""


class Likeness:
    """Compares every channel with the first, offsets apart, block by block."""

    def __init__(self, channels: int) -> None:
        self._frames = 0
        self._level = _Power(1)
        self._difference = _Power(channels - 1)

    def add(self, block: Block) -> None:
        """Take the next block, of shape (frames, channels)."""
        self._frames += len(block)
        self._level.add(block[:, :1])
        self._difference.add(block[:, 1:] - block[:, :1])

    @property
    def identical(self) -> bool:
        """Whether there are several channels, something on the first, and no other differs from it."""
        level = self._level.variances(self._frames)
        differences = self._difference.variances(self._frames)
        return bool(differences.size and level[0] > _SILENCE and np.all(differences < _TOLERANCE * level[0]))


class _Power:
    """Sums for the power of signals without their offset."""

    def __init__(self, signals: int) -> None:
        self._sums = np.zeros(signals)
        self._squares = np.zeros(signals)

    def add(self, block: Block) -> None:
        self._sums += block.sum(axis=0, dtype=np.float64)
        self._squares += np.einsum("ij,ij->j", block, block, dtype=np.float64)

    def variances(self, frames: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        count = max(1, frames)
        return self._squares / count - (self._sums / count) ** 2
