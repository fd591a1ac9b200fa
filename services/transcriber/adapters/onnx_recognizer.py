"""Russian models on ONNX Runtime, through onnx-asr: a `ports.Recognizer`. Runs in a child.

GigaAM, T-one, Vosk and FastConformer tell tokens, each with its time and probability; the words are `domain.tokens`'. They
have no search and no language but their own, so a batch's search is not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import onnx_asr
import onnxruntime
from onnx_asr.adapters import TextResultsAsrAdapter
from onnx_asr.asr import TimestampedResult
from onnx_asr.utils import ModelLoadingError
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from pipeline.errors import Fatal
from services.transcriber.adapters import pcm
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.requests import ONNX_AXIS, OnnxOptions, onnx_facts
from services.transcriber.domain.hearing import Batch, Capacity, Features, Heard, Passage
from services.transcriber.domain.result import EngineFacts
from services.transcriber.domain.timeline import SAMPLE_RATE_HZ, to_samples
from services.transcriber.domain.tokens import Token, mean_logprob, words_of
from services.transcriber.ports import DeviceFailed, OutOfDeviceMemory

LANGUAGE: Final = "ru"
#: GigaAM's authors take no more than 25 s at once.
_LONGEST_S: Final = {"gigaam": 25.0}
_LONGEST_OF_OTHERS_S: Final = 30.0
#: Nothing shorter is given to a model: some count no frame in it.
_LEAST_SAMPLES: Final = to_samples(0.1)
#: T-one's authors put its phrases so much earlier than its frames say; onnx-asr does not.
_LATE_S: Final = {"t-one-ctc": 0.33}
#: Kinds whose passages are padded to their time axis here: their last frames look at what follows, so that must be the same
#: silence whoever else is in the batch. The others' features end with the passage; Vosk's mirror it there, unless padded.
_LOOKING_ON: Final = ("gigaam", "t-one")
_PROVIDERS: Final = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_RUNTIME_ERRORS: Final = (
    runtime_errors.DeviceReset,
    runtime_errors.EPFail,
    runtime_errors.EngineError,
    runtime_errors.Fail,
    runtime_errors.RuntimeException,
)
_LOADING_ERRORS: Final = (
    *_RUNTIME_ERRORS,
    runtime_errors.InvalidArgument,
    runtime_errors.InvalidGraph,
    runtime_errors.InvalidProtobuf,
    runtime_errors.NoSuchFile,
    runtime_errors.NotImplemented,
    ModelLoadingError,
    AssertionError,  # onnx-asr's, about configuration and vocabulary
    KeyError,
    OSError,
    ValueError,
)
#: How ONNX Runtime's arenas and CUDA say that they have no more.
_NO_MEMORY: Final = ("failed to allocate memory", "out of memory")


class OnnxRecognizer:
    """A loaded model.

    Args:
        files: Where it lies.
        options: Which kind it is, and how it runs.

    Raises:
        Fatal: It cannot be loaded.
    """

    def __init__(self, files: ModelFiles, options: OnnxOptions) -> None:
        self._options = options
        self._facts = onnx_facts(files, options)
        self._late_s = _LATE_S.get(options.kind, 0.0)
        provider = _PROVIDERS[options.device]
        if provider not in onnxruntime.get_available_providers():
            raise Fatal(f"ONNX Runtime cannot work on {options.device} here: that needs the package onnxruntime-gpu")
        sessions = onnxruntime.SessionOptions()
        sessions.intra_op_num_threads = options.threads
        sessions.inter_op_num_threads = 1
        try:
            self._model: TextResultsAsrAdapter = onnx_asr.load_model(
                options.kind,
                files.folder,
                quantization=options.quantization,
                sess_options=sessions,
                providers=[provider],
                provider_options=[{"device_id": options.device_index} if options.device == "cuda" else {}],
            )
        except _LOADING_ERRORS as error:
            raise Fatal(f"the model {files.name} cannot be loaded as {options.kind} on {options.device}") from error

    @property
    def facts(self) -> EngineFacts:
        """See `ports.Recognizer.facts`."""
        return self._facts

    @property
    def capacity(self) -> Capacity:
        """See `ports.Recognizer.capacity`."""
        return Capacity(
            slots=self._options.workers,
            ahead=self._options.ahead,
            express=self._options.express,
            batch_size=self._options.batch_size,
            window_s=_LONGEST_S.get(self._options.kind.partition("-")[0], _LONGEST_OF_OTHERS_S),
            features=Features.SAMPLES,
            languages=frozenset({LANGUAGE}),
            axis=ONNX_AXIS,
            searches=False,
        )

    def warm_up(self) -> None:
        """Listen to a second of silence, so that the first call does not pay for the first allocation."""
        self._recognize([np.zeros(SAMPLE_RATE_HZ, dtype=np.float32)], 1.0)

    def hear(self, batch: Batch) -> list[Heard]:
        """See `ports.Recognizer.hear`. Asked which language it is, the model knows but one."""
        if batch.language is None:
            return [Heard(languages={LANGUAGE: 1.0}) for _ in batch.passages]
        samples = [pcm.read_window(passage.window)[passage.part.start : passage.part.end] for passage in batch.passages]
        results = self._recognize(samples, max(passage.duration_s for passage in batch.passages))
        return [self._heard(passage, result) for passage, result in zip(batch.passages, results, strict=True)]

    def _recognize(self, passages: Sequence[pcm.Samples], longest_s: float) -> list[TimestampedResult]:
        width_s = ONNX_AXIS.seconds(longest_s) if self._options.kind.startswith(_LOOKING_ON) else longest_s
        padded = np.zeros((len(passages), max(to_samples(width_s), _LEAST_SAMPLES)), dtype=np.float32)
        for row, passage in zip(padded, passages, strict=True):
            row[: passage.size] = passage
        lengths = np.array([max(passage.size, _LEAST_SAMPLES) for passage in passages], dtype=np.int64)
        try:
            # What `recognize` does after it has padded to the longest passage of the batch.
            resampled = self._model.resampler(padded, lengths, SAMPLE_RATE_HZ)
            return list(self._model.asr.recognize_batch(*resampled, need_logprobs="yes"))
        except _RUNTIME_ERRORS as error:
            if any(sign in str(error).lower() for sign in _NO_MEMORY):
                raise OutOfDeviceMemory("the batch is too large for the device") from error
            if self._options.device == "cpu":  # no device that could be sick: a bug, or a model that is none
                raise
            raise DeviceFailed("ONNX Runtime failed") from error

    def _heard(self, passage: Passage, result: TimestampedResult) -> Heard:
        tokens = [
            Token(text, float(start_s), float(logprob))
            for text, start_s, logprob in zip(
                result.tokens or (), result.timestamps or (), result.logprobs or (), strict=True
            )
        ]
        words = words_of(tokens, late_s=self._late_s, duration_s=passage.duration_s)
        return Heard(words=words, text="".join(word.text for word in words).strip(), avg_logprob=mean_logprob(tokens))
