"""A channel's file measured frame by frame: level, clipping, digital silence, speech probability. Used by `listening`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.transcriber.adapters import pcm
from services.transcriber.domain.preparation import ChannelFrames
from services.transcriber.domain.timeline import FRAME_SAMPLES, Span

#: A frame whose samples differ by less holds nothing but A-law's idle code, resampled.
SILENT_SWING: Final = 6e-4
#: A frame with so many samples so near the end of the scale is clipped.
CLIPPED_AT: Final = 0.95
CLIPPED_SAMPLES: Final = 4
#: Silent frames kept around sound, so that the model has heard where it comes from.
_MARGIN_FRAMES: Final = 16
_FLOOR: Final = 1e-6

SpeechModel = Callable[[Path, Span], NDArray[np.float32]]


def measure(channel: Path, samples: int, probabilities: SpeechModel) -> ChannelFrames:
    """Levels of all frames; speech probabilities of those that are not digital silence (0 there: it costs nothing).

    Args:
        channel: Raw float32 at 16 kHz.
        samples: Its length.
        probabilities: Of speech, for a span counted in frames.
    """
    whole = Span(0, -(-samples // FRAME_SAMPLES))
    levels = [np.zeros(0, dtype=np.float32)]
    sounding = [np.zeros(0, dtype=np.bool_)]
    clipped = [np.zeros(0, dtype=np.bool_)]
    for block in pcm.blocks(channel, whole):
        levels.append(20 * np.log10(block.std(axis=1) + _FLOOR, dtype=np.float32))
        sounding.append(np.ptp(block, axis=1) > SILENT_SWING)
        clipped.append(np.count_nonzero(np.abs(block) >= CLIPPED_AT, axis=1) >= CLIPPED_SAMPLES)
    sound = np.concatenate(sounding)
    likely = np.zeros(whole.samples, dtype=np.float32)
    for span in stretches(sound):
        likely[span.start : span.end] = probabilities(channel, span)
    return ChannelFrames(
        probabilities=likely,
        levels_db=np.concatenate(levels),
        clipped=np.concatenate(clipped),
        samples=samples,
        silent=not bool(sound.any()),
    )


def stretches(sound: NDArray[np.bool_]) -> Iterator[Span]:
    """Spans of frames that hold sound, each with a margin; those that touch are one."""
    begin: int | None = None
    end = 0
    for frame in np.flatnonzero(sound).tolist():
        if begin is None or frame - _MARGIN_FRAMES > end:
            if begin is not None:
                yield Span(begin, end)
            begin = max(end, frame - _MARGIN_FRAMES)
        end = min(len(sound), frame + 1 + _MARGIN_FRAMES)
    if begin is not None:
        yield Span(begin, end)
