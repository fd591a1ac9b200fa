"""Ours against faster-whisper on the same GPU, the same model, the same calls, each for as long. Called by `__main__`.

Random weights say as much in every window, whatever is in it: speeds are compared, not words.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from faster_whisper import decode_audio

from bench.gpu.card import watched
from bench.transcriber.arms import Arm, Platform, make
from razgovor.demo import samples

RATE_HZ: Final = 8_000
#: How many of the demo's calls stand in a row in one recording: calls of about 1, 3, 6 and 12 minutes.
CALLS_IN_A_ROW: Final = (1, 3, 6, 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """How an arm fared.

    Attributes:
        recordings: So many were done.
        call_s: Seconds of calls in them.
        seconds: From the first that was done to the last.
        busy: Share of the time in which the card ran a kernel.
        watts: That it drew, in the mean.
    """

    arm: str
    recordings: int
    call_s: float
    seconds: float
    busy: float
    watts: float

    @property
    def call_s_per_s(self) -> float:
        """Seconds of stereo calls a second."""
        return self.call_s / self.seconds

    @property
    def joules_per_call_hour(self) -> float:
        """Of the card alone."""
        return self.watts * 3600 / self.call_s_per_s


def recordings(folder: Path) -> dict[Path, float]:
    """Stereo calls of several lengths at 8 kHz, made of the demo's, with their seconds."""
    found: dict[Path, float] = {}
    paths = [samples.folder() / sample.file for sample in samples.load() if sample.kind == "call"]
    calls = [np.stack(decode_audio(str(path), sampling_rate=RATE_HZ, split_stereo=True), axis=1) for path in paths]
    for number, count in itertools.product(range(len(calls)), CALLS_IN_A_ROW):
        sound = np.concatenate([calls[(number + index) % len(calls)] for index in range(count)])
        path = folder / f"call-{number}-{count}.wav"
        soundfile.write(path, sound, RATE_HZ, subtype="PCM_16")
        found[path] = len(sound) / RATE_HZ
    return found


def timed(name: str, arm: Arm, calls: Mapping[Path, float], for_s: float) -> Timed:
    """The arm on these calls, over and over, for so long; what comes before its first result is not counted."""
    order = list(calls)
    np.random.default_rng(7).shuffle(order)
    heard = arm.hear(itertools.cycle(order))
    next(heard)
    begin_s = time.perf_counter()
    call_s, count, seconds = 0.0, 0, 0.0
    with watched() as card:
        for path, _ in heard:
            call_s += calls[path]
            count += 1
            if (seconds := time.perf_counter() - begin_s) >= for_s:
                break
    return Timed(arm=name, recordings=count, call_s=call_s, seconds=seconds, busy=card.busy, watts=card.watts)


def arms(platform: Platform) -> dict[str, Callable[[], Arm]]:
    """What makes each arm, loaded; one after the other, so that each has the card for itself."""
    return {
        "B": lambda: make("B", platform),
        "B+": lambda: make("B", replace(platform, workers=4, batch=32)),
        "ours": lambda: make("ours", platform),
    }
