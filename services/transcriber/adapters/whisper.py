"""Whisper on CTranslate2, through faster-whisper: a `ports.Recognizer`. Runs in the child that `engine` owns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
from faster_whisper import WhisperModel

from pipeline.errors import Fatal
from services.transcriber.adapters import pcm
from services.transcriber.adapters.log_mel import Mel, log_mel, read
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.passages import detect, hear
from services.transcriber.adapters.requests import WhisperOptions, whisper_facts
from services.transcriber.domain.hearing import Batch, Capacity, Features, Heard, Passage, Search
from services.transcriber.domain.result import EngineFacts
from services.transcriber.domain.timeline import SAMPLE_RATE_HZ
from services.transcriber.ports import DeviceFailed, OutOfDeviceMemory

#: On a CPU the weights are read from memory for one passage as for several; from two on that no longer counts. A GPU is
#: faster with every passage more.
_LEAST_BATCH_CPU: Final = 2
#: How CTranslate2 names what the device's libraries say, or that it has none of them; all of it comes as RuntimeError:
#: "CUDA failed with error ...", "cuBLAS failed with status ...", "Library libcublas.so.12 is not found or cannot be loaded".
_OUT_OF_MEMORY: Final = ("out of memory", "cublas_status_alloc_failed")
_DEVICE: Final = ("cuda", "cublas", "cudnn")


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
        self._facts = whisper_facts(files, options)
        try:
            self._model = WhisperModel(
                str(files.folder),
                device=options.device,
                device_index=options.device_index,
                compute_type=options.compute_type,
                cpu_threads=options.threads,
                num_workers=options.workers + options.express,
                local_files_only=True,
            )
        except (RuntimeError, ValueError) as error:
            raise Fatal(f"the model {files.name} cannot be loaded on {options.device}") from error
        self._capacity = Capacity(
            slots=options.workers,
            ahead=options.ahead,
            express=options.express,
            batch_size=options.batch_size,
            least_batch=min(_LEAST_BATCH_CPU, options.batch_size) if options.device == "cpu" else options.batch_size,
            window_s=options.axis.whole_s,
            features=Features(f"log-mel-{self._model.model.n_mels}"),
            languages=frozenset(self._model.supported_languages),
            axis=options.axis,
        )

    @property
    def facts(self) -> EngineFacts:
        """See `ports.Recognizer.facts`."""
        return self._facts

    @property
    def capacity(self) -> Capacity:
        """See `ports.Recognizer.capacity`."""
        return self._capacity

    def hear(self, batch: Batch) -> list[Heard]:
        """See `ports.Recognizer.hear`."""
        axis = self._capacity.axis
        axis_s = axis.whole_s if batch.search.whole_axis else axis.seconds(batch.passages[0].duration_s)
        mels = [self._mel(passage) for passage in batch.passages]
        with device_errors():
            if batch.language is None:
                return detect(self._model, mels, axis_s)
            return hear(self._model, mels, batch.language, batch.search, axis_s, prompt=batch.prompt)

    def _mel(self, passage: Passage) -> Mel:
        mel, bins = passage.window.mel, self._capacity.features.mel_bins
        if mel is not None and mel.bins == bins and passage.is_whole:
            return read(mel)
        return log_mel(pcm.read_window(passage.window)[passage.part.start : passage.part.end], bins)

    def warm_up(self) -> None:
        """Listen to a second of silence, so that the first call does not pay for the first allocation."""
        silence = log_mel(np.zeros(SAMPLE_RATE_HZ, dtype=np.float32), self._capacity.features.mel_bins)
        hear(self._model, [silence], "en", Search(beam_size=1), self._capacity.axis.whole_s)


@contextmanager
def device_errors() -> Iterator[None]:
    """What the device's libraries say becomes ours; any other error stays what it is.

    Raises:
        OutOfDeviceMemory: The batch is too large.
        DeviceFailed: The device does not work.
    """
    try:
        yield
    except RuntimeError as error:
        text = str(error).lower()
        if any(name in text for name in _OUT_OF_MEMORY):
            raise OutOfDeviceMemory("the device's memory does not suffice") from error
        if any(name in text for name in _DEVICE):
            raise DeviceFailed("the device does not work") from error
        raise
