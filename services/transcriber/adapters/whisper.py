"""Whisper on CTranslate2, through faster-whisper: a `ports.Recognizer`. Runs in the child that `engine` owns.

As a callable it serves a call's windows: batches of windows of similar length go to as many threads as CTranslate2 has
workers. A window that came out as a loop is listened to again: in two halves, cut where it is quietest, then with a
little chance; what stays a loop is given up.
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
from services.transcriber.adapters.passages import detect, hear
from services.transcriber.adapters.requests import CallWindows, WhisperOptions, whisper_facts
from services.transcriber.domain.filters import REPETITION, compression_ratio
from services.transcriber.domain.hearing import Batch, Capacity, Features, Heard, Passage, Search, TimeAxis
from services.transcriber.domain.result import EngineFacts
from services.transcriber.domain.timeline import SAMPLE_RATE_HZ, Span, to_seconds
from services.transcriber.domain.windows import GivenUp, HeardWord, Window, WindowWords

_CAREFUL: Final = Search(beam_size=5)
_CHANCE: Final = Search(beam_size=5, temperature=0.4)
#: Halves are looked for around the middle, by the level of so many samples.
_LEVEL_SAMPLES: Final = SAMPLE_RATE_HZ // 10
_MIN_SPLIT_SAMPLES: Final = 2 * SAMPLE_RATE_HZ
_WHOLE_AXIS_S: Final = 30.0


class Whisper:
    """A loaded model.

    Args:
        files: Where it lies.
        options: How it runs.

    Raises:
        Fatal: It cannot be loaded.
    """

    def __init__(self, files: ModelFiles, options: WhisperOptions) -> None:
        self._options = options
        self._search = Search(beam_size=options.beam_size)
        self._facts = whisper_facts(files, options)
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

    @property
    def facts(self) -> EngineFacts:
        """See `ports.Recognizer.facts`."""
        return self._facts

    @property
    def capacity(self) -> Capacity:
        """See `ports.Recognizer.capacity`."""
        return Capacity(
            slots=self._options.workers,
            batch_size=self._options.batch_size,
            window_s=_WHOLE_AXIS_S,
            features=Features(f"log-mel-{self._model.model.n_mels}"),
            languages=frozenset(self._model.supported_languages),
            axis=TimeAxis(),
        )

    def hear(self, batch: Batch) -> list[Heard]:
        """See `ports.Recognizer.hear`."""
        axis = self.capacity.axis
        axis_s = axis.whole_s if batch.search.whole_axis else axis.seconds(batch.passages[0].duration_s)
        samples = [pcm.read_window(passage.window)[passage.part.start : passage.part.end] for passage in batch.passages]
        if batch.language is None:
            return detect(self._model, samples, axis_s)
        return hear(self._model, samples, batch.language, batch.search, axis_s)

    def warm_up(self) -> None:
        """Listen to a second of silence, so that the first call does not pay for the first allocation."""
        silence = np.zeros(SAMPLE_RATE_HZ, dtype=np.float32)
        hear(self._model, [silence], "en", Search(beam_size=1), _WHOLE_AXIS_S)

    def __call__(self, request: CallWindows) -> list[WindowWords]:
        """See `ports.Engine.transcribe`."""
        begin_s = perf_counter()
        if request.hearing.language not in self.capacity.languages:
            raise CallFault("engine_failed")
        batches = list(self._batches(request.windows))
        with ThreadPoolExecutor(self._options.workers) as pool:
            heard = list(pool.map(lambda batch: self._batch(request, batch), batches))
        by_index = {
            index: words
            for batch, each in zip(batches, heard, strict=True)
            for index, words in zip(batch, each, strict=True)
        }
        elapsed_ms = (perf_counter() - begin_s) * 1000
        total = sum(window.samples for window in request.windows)
        return [
            replace(by_index[index], engine_ms=elapsed_ms * window.samples / total)
            for index, window in enumerate(request.windows)
        ]

    def _batches(self, windows: Sequence[Window]) -> Iterator[list[int]]:
        """Positions of windows of similar length, the longest first; never fewer batches than workers can take."""
        longest_first = sorted(range(len(windows)), key=lambda index: -windows[index].samples)
        size = min(self._options.batch_size, ceil(len(windows) / self._options.workers))
        for first in range(0, len(windows), max(size, 1)):
            yield longest_first[first : first + size]

    def _batch(self, request: CallWindows, batch: list[int]) -> list[WindowWords]:
        windows = [request.windows[index] for index in batch]
        first = self._hear([Passage.whole(window) for window in windows], request, self._search)
        return [
            self._again(window, request) if heard.failed else _joined([(0, heard)], window, retries=0)
            for window, heard in zip(windows, first, strict=True)
        ]

    def _hear(self, passages: list[Passage], request: CallWindows, search: Search) -> list[Heard]:
        return self.hear(Batch(passages=tuple(passages), language=request.hearing.language, search=search))

    def _again(self, window: Window, request: CallWindows) -> WindowWords:
        """Listen to a failed window again."""
        retries = 0
        if self._options.beam_size < _CAREFUL.beam_size:
            retries += 1
            [heard] = self._hear([Passage.whole(window)], request, _CAREFUL)
            if not heard.failed:
                return _joined([(0, heard)], window, retries=retries)
        cut = quietest(pcm.read_window(window))
        parts: list[tuple[int, Heard]] = []
        for part in (Span(0, cut), Span(cut, window.samples)):
            if not part.samples:
                continue
            retries += 1
            [heard] = self._hear([Passage(window=window, part=part)], request, _CAREFUL)
            if heard.failed:
                retries += 1
                [heard] = self._hear([Passage(window=window, part=part)], request, _CHANCE)
            parts.append((part.start, heard))
        return _joined(parts, window, retries=retries)


def quietest(passage: pcm.Samples) -> int:
    """Where to cut a passage: at its quietest point between a quarter and three quarters; 0 when it is too short."""
    if passage.size < _MIN_SPLIT_SAMPLES:
        return 0
    frames = passage[: passage.size // _LEVEL_SAMPLES * _LEVEL_SAMPLES].reshape(-1, _LEVEL_SAMPLES)
    first, last = len(frames) // 4, ceil(len(frames) * 3 / 4)
    return (first + int(np.argmin(frames[first:last].std(axis=1)))) * _LEVEL_SAMPLES + _LEVEL_SAMPLES // 2


def _joined(parts: list[tuple[int, Heard]], window: Window, *, retries: int) -> WindowWords:
    """A window's parts, each with the sample it begins at, as one; those that still fail are given up."""
    begins_s = [to_seconds(begin) for begin, _ in parts]
    ends_s = [*begins_s[1:], window.duration_s]
    return WindowWords(
        words=tuple(
            HeardWord(word.text, begin_s + word.start_s, begin_s + word.end_s, word.probability)
            for begin_s, (_, heard) in zip(begins_s, parts, strict=True)
            if not heard.failed
            for word in heard.words
        ),
        given_up=tuple(
            GivenUp(begin_s, end_s, heard.text, REPETITION)
            for begin_s, end_s, (_, heard) in zip(begins_s, ends_s, parts, strict=True)
            if heard.failed
        ),
        avg_logprob=min(heard.avg_logprob for _, heard in parts),
        no_speech_prob=min(heard.no_speech_prob for _, heard in parts),
        compression_ratio=max(compression_ratio(heard.text) for _, heard in parts),
        retries=retries,
    )
