"""How quiet the machine is: a fixed piece of work before and after a round, what others took, what the host stole."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import numpy as np
import psutil

_SIZE: Final = 1024
_PRODUCTS: Final = 24
_LOOKS: Final = 3


@dataclass(frozen=True, slots=True)
class Moment:
    """The machine's processor seconds until now."""

    at_s: float
    busy_s: float
    stolen_s: float


def moment() -> Moment:
    """Now."""
    times = psutil.cpu_times()
    idle_s = times.idle + getattr(times, "iowait", 0.0)
    stolen_s = getattr(times, "steal", 0.0)
    return Moment(time.monotonic(), sum(times) - idle_s - stolen_s - getattr(times, "guest", 0.0), stolen_s)


def probe_s() -> float:
    """How long fixed matrix products take on all cores: the median of a few looks."""
    random = np.random.default_rng(0)
    left, right = (random.standard_normal((_SIZE, _SIZE), dtype=np.float32) for _ in range(2))
    looks: list[float] = []
    for _ in range(_LOOKS):
        begun_s = time.perf_counter()
        for _ in range(_PRODUCTS):
            left @ right
        looks.append(time.perf_counter() - begun_s)
    return sorted(looks)[len(looks) // 2]
