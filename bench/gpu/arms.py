"""Ours against faster-whisper on the same GPU, the same model, the same calls, each for as long. Called by `__main__`.

Random weights say as much in every window, whatever is in it: speeds are compared, not words. Where windows are shorter
the model says less in each, so that as much is said a second of speech.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from faster_whisper import decode_audio

from bench.gpu.calibration import TOKENS
from bench.gpu.card import watched
from bench.transcriber.arms import Arm, Platform, make
from bench.transcriber.library import Library
from bench.transcriber.processes import cpu_by_part
from razgovor.demo import samples

RATE_HZ: Final = 8_000
#: How many of the demo's calls stand in a row in one recording: calls of about 1, 3, 6 and 12 minutes.
CALLS_IN_A_ROW: Final = (1, 3, 6, 12)


#: Of the transcriber, on a GPU. Enough calls in flight to keep a batch of every time axis waiting.
OURS: Final[Mapping[str, str | int | float]] = {
    "workers": 3,
    "batch_size": 32,
    "batches_ahead": 1,
    "express_workers": 0,
    "max_in_flight": 48,
    "front_ends": min(64, max(2, (os.cpu_count() or 2) - 2)),
}
#: Time axes of at most 1,024 of the encoder's positions: see docs/benchmarks.md.
SHORT: Final[Mapping[str, str | int | float]] = {
    "window_s": 19.4,
    "axis_step_s": 2.56,
    "axis_least_s": 10.24,
}
#: Said in a window of `SHORT`: as much a second of speech.
SHORT_TOKENS: Final = 82
#: The arm that is done with all recordings at once.
CONCATENATED: Final = "Bpp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """An arm and the load it is measured under.

    Attributes:
        title: In the table.
        arm: By `bench.transcriber.arms`.
        tokens: Said in each window.
        recordings: That a bare arm hears at once.
        workers: Batches of a bare arm at once.
        batch: Windows in each of them.
        ours: Settings of the transcriber.
    """

    title: str
    arm: str
    tokens: int = TOKENS
    recordings: int = 1
    workers: int = 1
    batch: int = 16
    ours: Mapping[str, str | int | float] = field(default_factory=dict)


CONTENDERS: Final = (
    Contender(title="A0, as shipped", arm="A0"),
    Contender(title="A, sequential, tuned", arm="A"),
    Contender(title="B, one recording at a time, batch 16", arm="B"),
    *(
        Contender(
            title=f"B+, {at_once} at a time, batch 32, 4 workers",
            arm="B",
            recordings=at_once,
            workers=4,
            batch=32,
        )
        for at_once in (4, 8)
    ),
    Contender(title="B++, all recordings concatenated, batch 32", arm=CONCATENATED, batch=32),
    Contender(title="ours", arm="ours", ours=OURS),
    Contender(title="ours, windows of 19.4 s", arm="ours", tokens=SHORT_TOKENS, ours={**OURS, **SHORT}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """How an arm fared, in its steady state: what it did while it warmed up is not counted.

    Attributes:
        title: The arm's.
        recordings: So many were done.
        call_s: Seconds of calls. Ours has many in flight that share the card, so each counts by its windows that were heard;
            the others' count when they are done.
        seconds: From the end of a recording to that of the last; of all to that of all again, for the arm that is done with all at once.
        busy: Share of the time in which the card ran a kernel.
        watts: That it drew, in the mean.
        memory_mib: Of the card, at the most.
        cores: In use beside the card, by part: engine, front_end, rest.
        fill: How full the batches were, where it is known: see `bench.transcriber.watching.fill`.
    """

    title: str
    recordings: int
    call_s: float
    seconds: float
    busy: float
    watts: float
    memory_mib: float
    cores: Mapping[str, float]
    fill: Mapping[str, float]

    @property
    def call_s_per_s(self) -> float:
        """Seconds of stereo calls a second."""
        return self.call_s / self.seconds

    @property
    def joules_per_call_hour(self) -> float:
        """Of the card alone."""
        return self.watts * 3600 / self.call_s_per_s

    @property
    def windows_per_s(self) -> float:
        """Passages heard a second; 0 where it is not known."""
        return self.fill.get("batches", 0.0) * self.fill.get("mean_batch", 0.0) / self.seconds

    @property
    def axis_s_per_s(self) -> float:
        """See `calibration.Point.axis_s_per_s`; 0 where it is not known."""
        return self.windows_per_s * self.fill.get("mean_axis_s", 0.0)

    @property
    def in_hand(self) -> float:
        """Batches that the recognizer had in hand, in the mean: as many as it takes, or it waited for us."""
        return self.fill.get("batches", 0.0) * self.fill.get("took_s", 0.0) / self.seconds


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


def timed(
    contender: Contender, platform: Platform, calls: Mapping[Path, float], *, warm_s: float, for_s: float
) -> Timed:
    """An arm on these calls, over and over, for so long, after it has done so for `warm_s`. It is closed at the end."""
    mine = replace(
        platform,
        recordings=contender.recordings,
        workers=contender.workers,
        batch=contender.batch,
        settings=contender.ours,
    )
    arm = make(contender.arm, mine)
    order = list(calls)
    np.random.default_rng(7).shuffle(order)
    heard = _done_together(arm, order, at_once=contender.arm == CONCATENATED)
    try:
        for _ in _within(warm_s, heard):
            pass
        _fill(arm)
        spent_s, begin_s = cpu_by_part(os.getpid()), time.perf_counter()
        with watched() as card:
            done = list(itertools.chain.from_iterable(_within(for_s, heard)))
        seconds = time.perf_counter() - begin_s
        now_s, fill = cpu_by_part(os.getpid()), _fill(arm)
    finally:
        if isinstance(arm, Library):
            arm.close()
    return Timed(
        title=contender.title,
        recordings=len(done),
        call_s=fill.get("call_s", 0.0) or sum(calls[path] for path in done),
        seconds=seconds,
        busy=card.busy,
        watts=card.watts,
        memory_mib=card.memory_mib,
        cores={part: (now_s[part] - spent_s[part]) / seconds for part in now_s},
        fill=fill,
    )


def _done_together(arm: Arm, order: Sequence[Path], *, at_once: bool) -> Iterator[list[Path]]:
    """The recordings over and over, as they are done: one by one or all at once."""
    if at_once:
        return ([path for path, _ in arm.hear(order)] for _ in itertools.count())
    return ([path] for path, _ in arm.hear(itertools.cycle(order)))


def _within(seconds: float, heard: Iterator[list[Path]]) -> Iterator[list[Path]]:
    """What is done until then, and the first thereafter."""
    begin_s = time.perf_counter()
    for paths in heard:
        yield paths
        if time.perf_counter() - begin_s >= seconds:
            return


def _fill(arm: Arm) -> dict[str, float]:
    return arm.fill() if isinstance(arm, Library) else {}
