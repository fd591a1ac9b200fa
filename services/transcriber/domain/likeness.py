"""What makes one channel a copy of another: a delay and a gain that explain all of it. Called by `adapters.comparing`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.transcriber.domain.timeline import FRAME_S, to_samples

Samples = NDArray[np.float32]
Power = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LikenessRule:
    """What counts as the same.

    Attributes:
        delay_s: One channel comes at most so long after the other.
        gain_db: One is at most so much louder. Below that it is an echo, which `crosstalk` takes out.
        correlation: Found where somebody speaks; of two voices it stays far below.
        active_probability: A frame this likely to be speech counts.
        explained_db: A frame is explained when what the copy leaves of it lies so far below it ...
        noise_db: ... or no more than this above what it leaves between speech: the noise of two lines.
        strange_share: At most so much of the speech may stay unexplained ...
        strange_s: ... and no stretch of it as long as a word.
    """

    delay_s: float = 0.25
    gain_db: float = 15.0
    correlation: float = 0.9
    active_probability: float = 0.5
    explained_db: float = 3.0
    noise_db: float = 6.0
    strange_share: float = 0.02
    strange_s: float = 0.25


@dataclass(frozen=True, slots=True)
class Copy:
    """How the other channel follows from the first."""

    delay_samples: int
    gain: float


@dataclass(frozen=True, slots=True)
class Rest:
    """What a copy leaves unexplained, per frame, as power.

    Attributes:
        left: Of the one channel, the other taken off.
        whole: Of the louder of the two.
    """

    left: Power
    whole: Power


def find_copy(stretches: Sequence[tuple[Samples, Samples]], rule: LikenessRule) -> Copy | None:
    """The delay and gain that fit best; None where the channels do not correlate, or one is only an echo of the other.

    Args:
        stretches: Of the first channel, and of the other the same with `delay_s` more on both sides; all equally long,
            float32 at 16 kHz.
        rule: What counts as the same.
    """
    limit = to_samples(rule.delay_s)
    products = np.sum([_products(first, other) for first, other in stretches], axis=0)
    best = int(np.argmax(np.abs(products)))
    power = sum(float(np.dot(first, first)) for first, _ in stretches)
    aligned = [other[best : best + first.size] for first, other in stretches]
    other_power = sum(float(np.dot(other, other)) for other in aligned)
    if not power or not other_power:
        return None
    gain = float(products[best]) / power
    is_copy = abs(products[best]) >= rule.correlation * np.sqrt(power * other_power)
    is_near = abs(10 * np.log10(other_power / power)) < rule.gain_db
    return Copy(best - limit, gain) if is_copy and is_near else None


def _products(first: Samples, other: Samples) -> NDArray[np.float64]:
    """Correlation of a stretch with every place of a longer one."""
    size = 1 << (other.size - 1).bit_length()
    spectrum = np.conj(np.fft.rfft(first, size)) * np.fft.rfft(other, size)
    return np.asarray(np.fft.irfft(spectrum, size)[: other.size - first.size + 1])


def rest_of(first: Samples, other: Samples, copy: Copy) -> Rest:
    """What the copy leaves.

    Args:
        first: Frames of the first channel, shape (frames, samples).
        other: Those of the other one, the delay taken out.
        copy: How it follows.
    """
    expected = copy.gain * first
    return Rest(_power(other - expected), np.maximum(_power(other), _power(expected)))


def is_all_explained(rest: Rest, voices: NDArray[np.bool_], rule: LikenessRule) -> bool:
    """Whether nobody speaks on one channel alone.

    Args:
        rest: Of all frames of the call.
        voices: Which of them are speech on either channel.
        rule: What counts as explained.
    """
    noise = float(np.median(rest.left[~voices])) if not voices.all() else 0.0
    strange = voices & (rest.left > np.maximum(rest.whole * _ratio(-rule.explained_db), noise * _ratio(rule.noise_db)))
    longest = max((len(run) for run in "".join("x" if flag else " " for flag in strange).split()), default=0)
    return longest * FRAME_S < rule.strange_s and bool(strange.sum() <= rule.strange_share * voices.sum())


def _power(frames: Samples) -> Power:
    return np.asarray(np.einsum("ij,ij->i", frames, frames, dtype=np.float64))


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 10))
