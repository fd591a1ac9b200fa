from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.transcriber.domain.likeness import Copy, LikenessRule, Samples, find_copy, is_all_explained, rest_of
from services.transcriber.domain.timeline import FRAME_SAMPLES

RULE = LikenessRule(delay_s=0.02)
MARGIN = 320
FRAMES = 32
SAMPLES = FRAME_SAMPLES * FRAMES
SAME = Copy(0, 1.0)


def voice(seed: int, level: float = 0.1) -> Samples:
    return np.random.default_rng(seed).normal(0, level, SAMPLES + 2 * MARGIN).astype(np.float32)


def found(first: Samples, other: Samples) -> Copy | None:
    """The first's middle against all of the other."""
    return find_copy([(first[MARGIN:-MARGIN], other)], RULE)


def explained(first: Samples, other: Samples, voices: NDArray[np.bool_] | None = None) -> bool:
    first, other = (samples[:SAMPLES].reshape(-1, FRAME_SAMPLES) for samples in (first, other))
    everywhere = np.ones(FRAMES, dtype=np.bool_)
    return is_all_explained(rest_of(first, other, SAME), everywhere if voices is None else voices, RULE)


@settings(deadline=None)
@given(
    delay=st.integers(-MARGIN, MARGIN),
    gain=st.floats(0.2, 5.0),
    sign=st.sampled_from([1, -1]),
    noise=st.sampled_from([0.0, 0.001, 0.03]),
)
def test_a_late_quiet_inverted_noisy_copy_is_found(delay: int, gain: float, sign: int, noise: float) -> None:
    first = voice(1)
    other = sign * gain * (np.roll(first, delay) + voice(2, noise))

    copy = found(first, other.astype(np.float32))

    assert copy is not None
    assert copy.delay_samples == delay
    assert copy.gain == pytest.approx(sign * gain, rel=0.05)


def test_two_voices_are_no_copies() -> None:
    assert found(voice(1), voice(2)) is None


def test_an_echo_far_below_is_no_copy() -> None:
    assert found(voice(1), voice(1) * np.float32(10 ** (-16 / 20))) is None
    assert found(voice(1), voice(1) * np.float32(10 ** (-14 / 20))) is not None


def test_a_channel_without_sound_is_no_copy() -> None:
    assert found(voice(1), np.zeros_like(voice(1))) is None


def test_a_copy_explains_everything() -> None:
    assert explained(voice(1), voice(1))


@pytest.mark.parametrize(("first", "last"), [(10, 20), (0, 8)])
def test_a_word_on_one_channel_alone_is_not_explained(first: int, last: int) -> None:
    word = np.zeros(SAMPLES + 2 * MARGIN, dtype=np.float32)
    word[first * FRAME_SAMPLES : last * FRAME_SAMPLES] = voice(3)[: (last - first) * FRAME_SAMPLES]
    both = voice(1, 0.03)

    assert not explained(both, both + word)
    assert not explained(both + word, both)


def test_the_noise_of_two_lines_is_known_from_between_speech() -> None:
    speech = np.arange(FRAMES) % 2 == 0
    said = np.pad(np.repeat(speech, FRAME_SAMPLES), (0, 2 * MARGIN)) * voice(1, 0.01)

    first, other = said + voice(4, 0.01), said + voice(5, 0.01)

    assert explained(first, other, speech)
    assert not explained(first, other)
