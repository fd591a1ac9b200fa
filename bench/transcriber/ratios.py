"""Ratios of one round, their median, and how sure it is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

_RESAMPLES: Final = 10_000
_INTERVAL: Final = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A median over rounds with its 95 % bootstrap interval."""

    median: float
    low: float
    high: float
    rounds: int


def ratio(values: Sequence[float], seed: int = 0) -> Ratio:
    """The median of at least one value; percentile bootstrap over the rounds."""
    observed = np.asarray(values, dtype=np.float64)
    drawn = np.random.default_rng(seed).choice(observed, size=(_RESAMPLES, observed.size))
    low, high = np.percentile(np.median(drawn, axis=1), _INTERVAL)
    return Ratio(float(np.median(observed)), float(low), float(high), observed.size)
