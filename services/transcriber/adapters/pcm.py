"""Channel files: raw float32, 16 kHz, mono, written by the decoder. Read in parts, so that long calls need no memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.transcriber.domain.timeline import FRAME_SAMPLES, Span
from services.transcriber.domain.windows import Window

Samples = NDArray[np.float32]

_SAMPLE_BYTES: Final = 4
#: Frames read at once: 8 s of one channel, half a MiB. What the speech model holds of a block is many times that.
BLOCK_FRAMES: Final = 256


def read(pcm: Path, span: Span) -> Samples:
    """The samples of a span, shape (n,), float32; fewer where the file ends before it does."""
    return np.fromfile(pcm, dtype=np.float32, count=span.samples, offset=span.start * _SAMPLE_BYTES)


def read_window(window: Window) -> Samples:
    """What a window makes heard, shape (n,), float32: its pieces, one straight after the other."""
    return np.concatenate([read(window.pcm, piece.span) for piece in window.pieces])


def blocks(pcm: Path, frames: Span) -> Iterator[Samples]:
    """Whole frames, in blocks of shape (at most BLOCK_FRAMES, FRAME_SAMPLES); the file's last frame is filled with zeros.

    Args:
        pcm: The channel's file.
        frames: Which frames: counted in frames, not samples.
    """
    for first in range(frames.start, frames.end, BLOCK_FRAMES):
        last = min(first + BLOCK_FRAMES, frames.end)
        samples = read(pcm, Span(first * FRAME_SAMPLES, last * FRAME_SAMPLES))
        block = np.zeros((last - first, FRAME_SAMPLES), dtype=np.float32)
        block.reshape(-1)[: samples.size] = samples
        yield block
