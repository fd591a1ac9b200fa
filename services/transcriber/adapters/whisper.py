"""Whisper on CTranslate2, through faster-whisper: windows in, words out. Runs in the child that `engine` owns.

Batches of windows of similar length go to as many threads as CTranslate2 has workers. A window that came out as a loop
is listened to again: in two halves, cut where it is quietest, then with a little chance; what stays a loop is given up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import ceil
from time import perf_counter
from typing import Final

import numpy as np
from faster_whisper import WhisperModel

from pipeline.errors import CallFault, Fatal
from services.transcriber.adapters import pcm
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.passages import Attempt, Search, hear
from services.transcriber.adapters.requests import Hearing, WhisperOptions
from services.transcriber.domain.filters import REPETITION, compression_ratio
from services.transcriber.domain.timeline import SAMPLE_RATE_HZ, to_seconds
from services.transcriber.domain.windows import GivenUp, HeardWord, Window, WindowWords

_CAREFUL: Final = Search(beam_size=5)
_CHANCE: Final = Search(beam_size=5, temperature=0.4)
#: Halves are looked for around the middle, by the level of so many samples.
_LEVEL_SAMPLES: Final = SAMPLE_RATE_HZ // 10
_MIN_SPLIT_SAMPLES: Final = 2 * SAMPLE_RATE_HZ


class Whisper:
    """A loaded model that serves requests.

    Args:
        files: Where it lies.
        options: How it runs.

    Raises:
        Fatal: It cannot be loaded.
    """

    def __init__(self, files: ModelFiles, options: WhisperOptions) -> None:
        self._options = options
        self._search = Search(beam_size=options.beam_size)
        try:
            self._model = WhisperModel(
                str(files.folder),
                device=options.device,
                compute_type=options.compute_type,
                cpu_threads=options.threads,
                num_workers=options.workers,
                local_files_only=True,
            )
        except (RuntimeError, ValueError) as error:
            raise Fatal(f"the model {files.name} cannot be loaded on {options.device}") from error

    def warm_up(self) -> None:
        """Listen to a second of silence, so that the first call does not pay for the first allocation."""
        hear(self._model, [np.zeros(SAMPLE_RATE_HZ, dtype=np.float32)], "en", Search(beam_size=1))

    def __call__(self, hearing: Hearing) -> list[WindowWords]:
        """See `ports.Engine.transcribe`."""
        begin_s = perf_counter()
        if hearing.language not in self._model.supported_languages:
            raise CallFault("engine_failed")
        batches = list(self._batches(hearing.windows))
        with ThreadPoolExecutor(self._options.workers) as pool:
            heard = list(pool.map(lambda batch: self._batch(hearing, batch), batches))
        by_index = {
            index: words
            for batch, each in zip(batches, heard, strict=True)
            for index, words in zip(batch, each, strict=True)
        }
        elapsed_ms = (perf_counter() - begin_s) * 1000
        total = sum(window.samples for window in hearing.windows)
        return [
            replace(by_index[index], engine_ms=elapsed_ms * window.samples / total)
            for index, window in enumerate(hearing.windows)
        ]

    def _batches(self, windows: Sequence[Window]) -> Iterator[list[int]]:
        """Positions of windows of similar length, the longest first; never fewer batches than workers can take."""
        longest_first = sorted(range(len(windows)), key=lambda index: -windows[index].samples)
        size = min(self._options.batch_size, ceil(len(windows) / self._options.workers))
        for first in range(0, len(windows), max(size, 1)):
            yield longest_first[first : first + size]

    def _batch(self, hearing: Hearing, batch: list[int]) -> list[WindowWords]:
        passages = [pcm.read_window(hearing.windows[index]) for index in batch]
        attempts = hear(self._model, passages, hearing.language, self._search)
        return [
            self._again(passage, hearing.language) if attempt.failed else _joined([(0.0, attempt)], passage, retries=0)
            for passage, attempt in zip(passages, attempts, strict=True)
        ]

    def _again(self, passage: pcm.Samples, language: str) -> WindowWords:
        """Listen to a failed window again."""
        retries = 0
        if self._options.beam_size < _CAREFUL.beam_size:
            retries += 1
            [attempt] = hear(self._model, [passage], language, _CAREFUL)
            if not attempt.failed:
                return _joined([(0.0, attempt)], passage, retries=retries)
        cut = quietest(passage)
        parts: list[tuple[float, Attempt]] = []
        for begin, part in ((0, passage[:cut]), (cut, passage[cut:])):
            if not part.size:
                continue
            retries += 1
            [attempt] = hear(self._model, [part], language, _CAREFUL)
            if attempt.failed:
                retries += 1
                [attempt] = hear(self._model, [part], language, _CHANCE)
            parts.append((to_seconds(begin), attempt))
        return _joined(parts, passage, retries=retries)


def quietest(passage: pcm.Samples) -> int:
    """Where to cut a passage: at its quietest point between a quarter and three quarters; 0 when it is too short."""
    if passage.size < _MIN_SPLIT_SAMPLES:
        return 0
    frames = passage[: passage.size // _LEVEL_SAMPLES * _LEVEL_SAMPLES].reshape(-1, _LEVEL_SAMPLES)
    first, last = len(frames) // 4, ceil(len(frames) * 3 / 4)
    return (first + int(np.argmin(frames[first:last].std(axis=1)))) * _LEVEL_SAMPLES + _LEVEL_SAMPLES // 2


def _joined(parts: list[tuple[float, Attempt]], passage: pcm.Samples, *, retries: int) -> WindowWords:
    """A window's parts, each with the second it begins at, as one; those that still fail are given up."""
    ends_s = [*(begin_s for begin_s, _ in parts[1:]), to_seconds(passage.size)]
    return WindowWords(
        words=tuple(
            HeardWord(word.text, begin_s + word.start_s, begin_s + word.end_s, word.probability)
            for begin_s, attempt in parts
            if not attempt.failed
            for word in attempt.words
        ),
        given_up=tuple(
            GivenUp(begin_s, end_s, attempt.text, REPETITION)
            for (begin_s, attempt), end_s in zip(parts, ends_s, strict=True)
            if attempt.failed
        ),
        avg_logprob=min(attempt.avg_logprob for _, attempt in parts),
        no_speech_prob=min(attempt.no_speech_prob for _, attempt in parts),
        compression_ratio=max(compression_ratio(attempt.text) for _, attempt in parts),
        retries=retries,
    )
