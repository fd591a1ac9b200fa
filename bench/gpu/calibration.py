"""What an accelerator carries of a Whisper of true shape: windows a second by batch and workers, without any front end.

The roofline that everything built around the engine is held against. Random weights, fixed tokens: what a window costs
follows from the model's shape and from how much is said, not from what it means. Called by `gpu`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray
from tokenizers import Tokenizer as HubTokenizer

FRAMES_PER_S: Final = 100
#: Of a whole window of 30 s: what Whisper was trained on.
WHOLE_FRAMES: Final = 3000
#: Said in a whole window; in a shorter one as many in proportion. The cap of a window is 224.
TOKENS: Final = 120
#: Windows that an hour of a stereo call gives: each side speaks about half of the time (shared figure of the field).
WINDOWS_PER_CALL_HOUR: Final = 137
MIN_ROUND_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is tried.

    Attributes:
        batch: Windows of a batch.
        workers: Batches at once.
        beam: Hypotheses kept.
        frames: Of each window, on the encoder's time axis.
    """

    batch: int
    workers: int
    beam: int
    frames: int = WHOLE_FRAMES

    @property
    def tokens(self) -> int:
        """Said in each window."""
        return round(TOKENS * self.frames / WHOLE_FRAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What was measured of a load; times are of one batch.

    Attributes:
        error: What the device said instead, e.g. that its memory is full.
    """

    model: str
    compute_type: str
    load: Load
    windows_per_s: float = 0.0
    encode_ms: float = 0.0
    generate_ms: float = 0.0
    align_ms: float = 0.0
    error: str | None = None

    @property
    def call_s_per_s(self) -> float:
        """Seconds of stereo calls a second, at `WINDOWS_PER_CALL_HOUR`; more of them where they are shorter."""
        windows_per_call_hour = WINDOWS_PER_CALL_HOUR * WHOLE_FRAMES / self.load.frames
        return self.windows_per_s / windows_per_call_hour * 3600

    @property
    def axis_s_per_s(self) -> float:
        """Seconds of time axis that the model looks at in a second: what windows of any length can be compared by."""
        return self.windows_per_s * self.load.frames / FRAMES_PER_S


@dataclass(slots=True)
class Spent:
    """Seconds in each stage, over all batches of one worker."""

    batches: int = 0
    encode_s: float = 0.0
    generate_s: float = 0.0
    align_s: float = 0.0


class Engine:
    """A model on a device, asked as the transcriber asks it: encode, search without time stamps, align.

    Args:
        folder: The model's.
        device: `cuda` or `cpu`.
        compute_type: CTranslate2's.
        workers: Batches at once.
    """

    def __init__(self, folder: Path, device: str, compute_type: str, workers: int) -> None:
        self._model = ctranslate2.models.Whisper(
            str(folder), device=device, compute_type=compute_type, inter_threads=workers, intra_threads=1
        )
        tokenizer = HubTokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer = Tokenizer(tokenizer, self._model.is_multilingual, task="transcribe", language="ru")
        self._random = np.random.default_rng(0)

    def features(self, load: Load) -> NDArray[np.float32]:
        """Noise of the shape of a batch, (batch, mels, frames)."""
        return self._random.standard_normal((load.batch, self._model.n_mels, load.frames), dtype=np.float32)

    def hear(self, features: NDArray[np.float32], load: Load, spent: Spent) -> None:
        """One batch; adds to `spent`."""
        begin_s = time.perf_counter()
        encoded = self._model.encode(ctranslate2.StorageView.from_array(features), to_cpu=False)
        encoded_s = time.perf_counter()
        results = self._search(encoded, load)
        generated_s = time.perf_counter()
        tokens = [[token for token in result.sequences_ids[0] if token < self._tokenizer.eot] for result in results]
        if any(len(said) != load.tokens for said in tokens):
            raise RuntimeError(f"{[len(said) for said in tokens]} tokens were said instead of {load.tokens} each")
        self._model.align(encoded, list(self._tokenizer.sot_sequence), tokens, [features.shape[-1]] * len(tokens))
        spent.batches += 1
        spent.encode_s += encoded_s - begin_s
        spent.generate_s += generated_s - encoded_s
        spent.align_s += time.perf_counter() - generated_s

    def _search(self, encoded: Any, load: Load) -> Any:
        prompt = [*self._tokenizer.sot_sequence, self._tokenizer.no_timestamps]
        return self._model.generate(
            encoded,
            [prompt] * load.batch,
            beam_size=load.beam,
            patience=1,
            length_penalty=1,
            # CTranslate2 allows half of it: in a shorter window the search is cut short of what the model would say.
            max_length=2 * load.tokens if load.tokens < TOKENS else 448,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=[-1],
        )


def measure(engine: Engine, model: str, compute_type: str, load: Load) -> Point:
    """A load kept up for some seconds, after a first batch that pays for allocations."""
    features = engine.features(load)
    try:
        _side_by_side(load.workers, lambda _spent: engine.hear(features, load, Spent()))
        until_s = time.perf_counter() + MIN_ROUND_S
        begin_s = time.perf_counter()

        def keep_on(spent: Spent) -> None:
            while time.perf_counter() < until_s:
                engine.hear(features, load, spent)

        spent = _side_by_side(load.workers, keep_on)
        seconds = time.perf_counter() - begin_s
    except RuntimeError as error:  # CTranslate2's only kind, also for memory that is full
        return Point(model=model, compute_type=compute_type, load=load, error=str(error)[:200])
    batches = sum(each.batches for each in spent)
    return Point(
        model=model,
        compute_type=compute_type,
        load=load,
        windows_per_s=batches * load.batch / seconds,
        encode_ms=1000 * sum(each.encode_s for each in spent) / batches,
        generate_ms=1000 * sum(each.generate_s for each in spent) / batches,
        align_ms=1000 * sum(each.align_s for each in spent) / batches,
    )


def _side_by_side(workers: int, work: Callable[[Spent], None]) -> list[Spent]:
    """So many threads at the same work; what one raises is raised here."""
    spent = [Spent() for _ in range(workers)]
    raised: list[RuntimeError] = []

    def run(mine: Spent) -> None:
        try:
            work(mine)
        except RuntimeError as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(mine,)) for mine in spent]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]
    return spent


def curve(folder: Path, model: str, device: str, compute_type: str, loads: Iterable[Load]) -> Iterator[Point]:
    """All loads of one model, those with as many workers together: the model is loaded once for them."""
    by_workers: dict[int, list[Load]] = {}
    for load in loads:
        by_workers.setdefault(load.workers, []).append(load)
    for workers, alike in by_workers.items():
        engine = Engine(folder, device, compute_type, workers)
        for load in alike:
            yield measure(engine, model, compute_type, load)
        del engine
