"""The arms of bare faster-whisper: word times on, Russian fixed, each channel on its own, model loaded and warm."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel, decode_audio
from faster_whisper.vad import SpeechTimestampsMap, VadOptions, get_speech_timestamps
from numpy.typing import NDArray

from bench.transcriber.arms import Platform
from bench.transcriber.hearing import TimedWord, transcript_of
from pipeline.contracts.transcript import Transcript

RATE_HZ: Final = 16_000
BEAM: Final = 5
WINDOW_S: Final = 30
FRAMES_PER_S: Final = 100
Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A recording's channels."""

    path: Path
    channels: tuple[Samples, ...]
    one_mix: bool

    @property
    def heard(self) -> Sequence[tuple[int, Samples]]:
        """Channels to listen to: one where all are alike, which is more than faster-whisper would find out."""
        return list(enumerate(self.channels[:1] if self.one_mix else self.channels))

    def transcript(self, words: Iterable[TimedWord]) -> Transcript:
        """As a transcript."""
        duration_s = self.channels[0].size / RATE_HZ
        return transcript_of(words, len(self.channels), duration_s, one_mix=self.one_mix)


def decoded(path: Path) -> Decoded:
    """By faster-whisper's own decoder."""
    left, right = decode_audio(str(path), sampling_rate=RATE_HZ, split_stereo=True)
    return Decoded(path, (left, right), bool(np.array_equal(left, right)))


def _loaded(platform: Platform) -> WhisperModel:
    return WhisperModel(
        str(platform.model),
        device=platform.device,
        compute_type=platform.compute_type,
        cpu_threads=platform.threads,
        num_workers=platform.workers,
    )


class Sequential:
    """One window after the other. A0 is what a user gets without a setting; A has what the maintainers advise.

    Args:
        platform: Model and device; 0 threads: the library's default.
        options: Of `transcribe`.
    """

    def __init__(self, platform: Platform, **options: Any) -> None:
        self._model = _loaded(platform)
        self._options = options

    def hear(self, paths: Iterable[Path]) -> Iterator[tuple[Path, Transcript]]:
        """Each recording as it is done."""
        for path in paths:
            call = decoded(path)
            yield path, call.transcript(word for one in call.heard for word in self._words(*one))

    def _words(self, channel: int, samples: Samples) -> Iterator[TimedWord]:
        segments, _ = self._model.transcribe(samples, language="ru", word_timestamps=True, **self._options)
        yield from _timed(channel, segments)


class Batched:
    """`BatchedInferencePipeline` on each channel."""

    def __init__(self, platform: Platform) -> None:
        self._pipeline = BatchedInferencePipeline(_loaded(platform))
        self._batch = platform.batch
        self._at_once = platform.recordings

    def hear(self, paths: Iterable[Path]) -> Iterator[tuple[Path, Transcript]]:
        """Each recording as it is done."""
        if self._at_once == 1:
            yield from map(self._one, paths)
            return
        waiting = iter(paths)  # perhaps without an end
        with ThreadPoolExecutor(self._at_once) as pool:
            running = {pool.submit(self._one, path) for path in itertools.islice(waiting, self._at_once)}
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                running |= {pool.submit(self._one, path) for path in itertools.islice(waiting, len(done))}
                yield from (future.result() for future in done)

    def _one(self, path: Path) -> tuple[Path, Transcript]:
        call = decoded(path)
        return path, call.transcript(word for one in call.heard for word in self._words(*one))

    def _words(self, channel: int, samples: Samples) -> Iterator[TimedWord]:
        segments, _ = self._pipeline.transcribe(
            samples, language="ru", word_timestamps=True, beam_size=BEAM, batch_size=self._batch
        )
        yield from _timed(channel, segments)


@dataclass(frozen=True, slots=True)
class _Clip:
    """A packed window in the concatenation.

    Attributes:
        call: Index of the recording.
        begin_s: Where it begins in the concatenation.
        map: From packed time to the channel's.
    """

    call: int
    channel: int
    begin_s: float
    end_s: float
    map: SpeechTimestampsMap


class Concatenated:
    """The maintainers' trick: the packed speech of all calls in one array, `clip_timestamps` for each window.

    An upper bound for batching by file: batches are full over calls, but nothing is out before everything is.
    """

    def __init__(self, platform: Platform) -> None:
        self._pipeline = BatchedInferencePipeline(_loaded(platform))
        self._batch = platform.batch

    def hear(self, paths: Iterable[Path]) -> Iterator[tuple[Path, Transcript]]:
        """Every recording, at the end."""
        calls = [decoded(path) for path in paths]
        clips: list[_Clip] = []
        audio: list[Samples] = []
        begin_s = 0.0
        for number, call in enumerate(calls):
            for channel, samples in call.heard:
                for packed, spans in _packed(samples):
                    end_s = begin_s + packed.size / RATE_HZ
                    clips.append(_Clip(number, channel, begin_s, end_s, SpeechTimestampsMap(spans, RATE_HZ)))
                    audio.append(packed)
                    begin_s = end_s
        words = list(self._words(clips, audio)) if clips else []
        for number, call in enumerate(calls):
            yield call.path, call.transcript(word for owner, word in words if owner == number)

    def _words(self, clips: list[_Clip], audio: list[Samples]) -> Iterator[tuple[int, TimedWord]]:
        segments, _ = self._pipeline.transcribe(
            np.concatenate(audio),
            language="ru",
            word_timestamps=True,
            beam_size=BEAM,
            batch_size=self._batch,
            clip_timestamps=[{"start": clip.begin_s, "end": clip.end_s} for clip in clips],
        )
        ends_s = np.array([clip.end_s for clip in clips])
        for segment in segments:
            # A segment names its clip by the frame it begins in, rounded down: a hundredth of a second further is inside it.
            clip = clips[int(np.searchsorted(ends_s, (segment.seek + 1) / FRAMES_PER_S, side="right"))]
            for word in segment.words or []:
                # As faster-whisper restores times itself: by the piece that holds the word's middle.
                piece = clip.map.get_chunk_index((word.start + word.end) / 2 - clip.begin_s)
                start_s, end_s = (
                    clip.map.get_original_time(moment - clip.begin_s, piece) for moment in (word.start, word.end)
                )
                yield clip.call, TimedWord(clip.channel, word.word, start_s, end_s)


def _packed(samples: Samples) -> Iterator[tuple[Samples, list[dict[str, int]]]]:
    """A channel's speech in windows, as `BatchedInferencePipeline` packs it, each with where it comes from."""
    options = VadOptions(max_speech_duration_s=WINDOW_S, min_silence_duration_ms=160)
    group: list[dict[str, int]] = []
    for span in get_speech_timestamps(samples, options):
        length = sum(one["end"] - one["start"] for one in group) + span["end"] - span["start"]
        if group and length > WINDOW_S * RATE_HZ:
            yield np.concatenate([samples[one["start"] : one["end"]] for one in group]), group
            group = []
        group.append(span)
    if group:
        yield np.concatenate([samples[one["start"] : one["end"]] for one in group]), group


def _timed(channel: int, segments: Iterable[Any]) -> Iterator[TimedWord]:
    for segment in segments:
        for word in segment.words or []:
            yield TimedWord(channel, word.word, word.start, word.end)
