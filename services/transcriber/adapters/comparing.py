"""Do two channels carry the same voices? Attenuated, inverted, late and noisy copies count. Used by `listening`.

A mono call recorded as stereo through two gain stages, or with one side a packet late, must be transcribed once. Told by
correlation: first a few stretches find the delay (most calls are told apart here), then the whole call must be explained by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.transcriber.adapters import pcm
from services.transcriber.domain.likeness import Copy, LikenessRule, Rest, find_copy, is_all_explained, rest_of
from services.transcriber.domain.preparation import ChannelFrames
from services.transcriber.domain.timeline import FRAME_SAMPLES, Span, to_samples

#: Stretches that the delay is looked for in, and their length.
_STRETCHES: Final = 8
_STRETCH_FRAMES: Final = 64


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel's file and what was measured on it."""

    file: Path
    frames: ChannelFrames


def carry_the_same(first: Channel, other: Channel, rule: LikenessRule) -> bool:
    """Whether everything that is heard on either channel is heard on both.

    Args:
        first: One channel.
        other: Another of the same recording.
        rule: What counts as the same.
    """
    voices = (first.frames.probabilities >= rule.active_probability) | (
        other.frames.probabilities >= rule.active_probability
    )
    active = np.flatnonzero(voices)
    if not active.size:
        return False
    margin = to_samples(rule.delay_s)
    copy = find_copy(list(_stretches(first.file, other.file, active, margin)), rule)
    if copy is None:
        return False
    rests = list(_rests(first, other, copy))
    rest = Rest(np.concatenate([each.left for each in rests]), np.concatenate([each.whole for each in rests]))
    return is_all_explained(rest, voices, rule)


def _stretches(
    first: Path, other: Path, active: NDArray[np.int64], margin: int
) -> Iterator[tuple[pcm.Samples, pcm.Samples]]:
    """Both channels where somebody speaks, spread over the call; the other with so many samples more on both sides."""
    starts = active[np.linspace(0, active.size - 1, _STRETCHES).astype(int)]
    for index in np.unique(starts // _STRETCH_FRAMES).tolist():
        begin = index * _STRETCH_FRAMES * FRAME_SAMPLES
        end = begin + _STRETCH_FRAMES * FRAME_SAMPLES
        yield _filled(first, Span(begin, end)), _filled(other, Span(begin - margin, end + margin))


def _filled(file: Path, span: Span) -> pcm.Samples:
    """The span's samples; zeros where it lies outside of the file."""
    begin = max(span.start, 0)
    samples = pcm.read(file, Span(begin, max(span.end, begin)))
    before = begin - span.start
    return np.pad(samples, (before, span.samples - before - samples.size))


def _rests(first: Channel, other: Channel, copy: Copy) -> Iterator[Rest]:
    """What the copy leaves, block by block."""
    count = len(first.frames.levels_db)
    for begin in range(0, count, pcm.BLOCK_FRAMES):
        end = min(begin + pcm.BLOCK_FRAMES, count)
        span = Span(begin * FRAME_SAMPLES, end * FRAME_SAMPLES)
        late = Span(span.start + copy.delay_samples, span.end + copy.delay_samples)
        source, follower = _filled(first.file, span), _filled(other.file, late)
        yield rest_of(source.reshape(-1, FRAME_SAMPLES), follower.reshape(-1, FRAME_SAMPLES), copy)
