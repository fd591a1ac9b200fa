"""A recording's outline: how loud each channel is over time, for a waveform to draw. In a stream: memory does not grow much.

Called in a limited child process (see `work`) by ingest, for its page.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.audio.contract import FULL_SCALE, Outline, OutlineRequest
from pipeline.audio.plan import Plan, plan_of
from pipeline.audio.reader import AudioReader, CannotOpen, sound_blocks
from pipeline.audio.stream_check import check_stream
from pipeline.errors import CallFault

#: Peaks are taken this often, and then as many of them put together as it takes to have no more points than wanted.
STEP_S: Final = 0.02
_Peaks = npt.NDArray[np.uint16]


def outline(request: OutlineRequest) -> Outline:
    """Each channel's peaks.

    Raises:
        CallFault: no_audio, invalid_header, unsupported_codec, too_long, too_many_channels.
        OSError: The file cannot be read.
    """
    with request.source.open("rb") as file:
        media_type, plan = plan_of(file, request.media_type)
        found = _first(plan, request)
    if found is None:
        raise CallFault("invalid_header", found=f"unreadable {media_type}")
    peaks, duration_s = found
    if not len(peaks):
        raise CallFault("no_audio")
    fewer = _fewer(peaks, request.points)
    return Outline(duration_s=duration_s, peaks=tuple(tuple(channel.tolist()) for channel in fewer.T))


def _first(plan: Plan, request: OutlineRequest) -> tuple[_Peaks, float] | None:
    """What the first decoder that opens the file finds: a picture need not be more exact than that."""
    for opener in plan.openers:
        try:
            with opener() as reader:
                return _of(reader, request)
        except CannotOpen:
            continue
    return None


def _of(reader: AudioReader, request: OutlineRequest) -> tuple[_Peaks, float]:
    check_stream(reader.sample_rate_hz, reader.channels, request.max_channels)
    counted = _Counted(round(reader.sample_rate_hz * STEP_S), reader.channels)
    for block in sound_blocks(reader):
        counted.add(np.abs(block))
        if counted.frames > request.max_duration_s * reader.sample_rate_hz:
            raise CallFault("too_long", limit_s=f"{request.max_duration_s:g}")
    return counted.peaks(), counted.frames / reader.sample_rate_hz


class _Counted:
    """Peaks of steps, block by block; what does not fill a step yet is carried over."""

    def __init__(self, step_frames: int, channels: int) -> None:
        self.frames = 0
        self._step = step_frames
        self._left: npt.NDArray[np.float32] = np.empty((0, channels), np.float32)
        self._found: list[_Peaks] = []

    def add(self, levels: npt.NDArray[np.float32]) -> None:
        """Add levels of shape (frames, channels), 0 to 1."""
        self.frames += len(levels)
        levels = np.concatenate((self._left, levels))
        whole = len(levels) - len(levels) % self._step
        self._left = levels[whole:]
        if whole:
            self._found.append(_whole(levels[:whole].reshape(-1, self._step, levels.shape[1]).max(axis=1)))

    def peaks(self) -> _Peaks:
        """All of them, shape (steps, channels)."""
        return np.concatenate(list(self._with_rest())) if self.frames else np.empty((0, self._left.shape[1]), np.uint16)

    def _with_rest(self) -> Iterator[_Peaks]:
        yield from self._found
        if len(self._left):
            yield _whole(self._left.max(axis=0, keepdims=True))


def _whole(levels: npt.NDArray[np.float32]) -> _Peaks:
    return np.rint(levels * FULL_SCALE).astype(np.uint16)


def _fewer(peaks: _Peaks, points: int) -> _Peaks:
    """At most so many, each the highest of as many as it stands for."""
    together = -(-len(peaks) // points)
    return np.maximum.reduceat(peaks, np.arange(0, len(peaks), together), axis=0)
