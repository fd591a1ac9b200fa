"""What `decode` asks of a decoder: blocks of samples at the native rate, and whether it met damage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

Block = npt.NDArray[np.float32]
"""Samples of shape (frames, channels)."""

BLOCK_FRAMES: Final = 16_384


class CannotOpen(Exception):
    """This decoder makes nothing of the file."""


class AudioReader(Protocol):
    """An open recording."""

    @property
    def sample_rate_hz(self) -> int:
        """The native rate, as the decoder gives it."""

    @property
    def channels(self) -> int:
        """How many, as the decoder gives them."""

    @property
    def declared_duration_s(self) -> float | None:
        """What the header claims; None for nothing."""

    @property
    def damaged(self) -> bool:
        """Whether something so far could not be decoded; final after the last block."""

    def blocks(self) -> Iterator[Block]:
        """All that can be decoded, in order, once; at most a few seconds at a time. Ends early at damage."""


def sound_blocks(reader: AudioReader) -> Iterator[Block]:
    """Blocks that are sound: float files may hold anything, and one NaN would silence a resampler for good."""
    for block in reader.blocks():
        yield np.clip(np.where(np.isfinite(block), block, np.float32(0.0)), -1.0, 1.0)
