from __future__ import annotations

import numpy as np
import pytest

from pipeline.audio.likeness import Likeness
from tests.integration.pipeline.audio import make


def alike(left: make.Samples, right: make.Samples) -> bool:
    likeness = Likeness(2)
    for start in range(0, len(left), 1000):
        likeness.add(np.stack([left[start : start + 1000], right[start : start + 1000]], axis=1))
    return likeness.identical


VOICE = make.tone(2.0)
NOISE = np.random.default_rng(1).normal(0, 1, len(VOICE)).astype(np.float32)
SILENCE = np.zeros_like(VOICE)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (VOICE, VOICE, True),
        (VOICE, VOICE + 0.01, True),
        (VOICE, VOICE + 0.0005 * NOISE, True),
        (VOICE, VOICE + 0.005 * NOISE, False),
        (VOICE, 0.9 * VOICE, False),
        (VOICE, -VOICE, False),
        (VOICE, SILENCE, False),
        (SILENCE, VOICE, False),
        (SILENCE, SILENCE, False),
        (SILENCE + 0.2, SILENCE + 0.2, False),
        (VOICE + 0.2, make.tone(2.0, pitch_hz=make.RIGHT_HZ) + 0.2, False),
    ],
)
def test_only_the_same_sound_is_the_same(left: make.Samples, right: make.Samples, expected: bool) -> None:  # noqa: FBT001 - a table's column
    assert alike(left, right) is expected


def test_one_channel_is_like_nothing() -> None:
    likeness = Likeness(1)
    likeness.add(VOICE[:, None])
    assert not likeness.identical


def test_every_channel_counts() -> None:
    likeness = Likeness(3)
    likeness.add(np.stack([VOICE, VOICE, SILENCE], axis=1))
    assert not likeness.identical
