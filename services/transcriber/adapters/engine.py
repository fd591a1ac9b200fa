"""The parent's side of a recognizer: a child that holds the model on one device. Built by `__main__`.

Native code may crash or hang; then the child dies, not the consumer, and a fresh one loads the model again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias, cast

from pipeline.errors import Postponed
from pipeline.isolation import ChildClosed, ChildCrashed, ChildError, ChildFailed, ChildProcess, ChildTimeout, Limits
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.requests import OnnxOptions, WhisperOptions
from services.transcriber.domain.hearing import Batch, Capacity, Heard
from services.transcriber.domain.result import EngineFacts
from services.transcriber.ports import DeviceFailed, Recognizer, RecognizerCrashed

#: Runs in the child and makes what hears there.
Load: TypeAlias = Callable[[], Recognizer]
#: A batch to hear, or None: say what you take.
_Request: TypeAlias = Batch | None
_Response: TypeAlias = list[Heard] | Capacity

_DESCRIBE_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLimits:
    """What the engine may take.

    Attributes:
        start_timeout_s: Loading and warming the model.
        base_timeout_s: Any batch.
        timeout_per_speech_s: On top, for each second of speech in it.
        memory_bytes: On top of the loaded model; None: no limit (CUDA reserves more than any sensible one).
    """

    start_timeout_s: float = 300.0
    base_timeout_s: float = 120.0
    timeout_per_speech_s: float = 20.0
    memory_bytes: int | None = None


class ChildRecognizer:
    """A `ports.Recognizer` in a child process.

    Args:
        load: Runs in the child and makes what hears.
        facts: What the words come from; known here, so that nothing is loaded to tell.
        slots: Batches that it works on at once.
        ahead: Batches that wait in the child beyond these.
        express: Small batches that it works on beyond these.
        limits: What it may take.
    """

    def __init__(
        self, load: Load, facts: EngineFacts, *, slots: int, ahead: int = 0, express: int = 0, limits: EngineLimits
    ) -> None:
        self._facts = facts
        self._limits = limits
        self._ahead = ahead
        self._capacity: Capacity | None = None
        self._child: ChildProcess[_Request, _Response] = ChildProcess(
            partial(_host, load),
            name="razgovor-engine",
            limits=Limits(memory_bytes=limits.memory_bytes),
            start_timeout_s=limits.start_timeout_s,
            outlives_failures=False,  # what a library raises may have left the device unusable
            concurrency=slots + ahead + express,
        )

    @property
    def facts(self) -> EngineFacts:
        """See `ports.Recognizer.facts`."""
        return self._facts

    @property
    def capacity(self) -> Capacity:
        """See `ports.Recognizer.capacity`."""
        if self._capacity is None:
            self._capacity = self._described()
        return self._capacity

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is none."""
        return self._child.pid

    def start(self) -> None:
        """Load and warm the model.

        Raises:
            Fatal: It cannot be loaded.
            ChildError: The child died over it.
        """
        self._child.start()

    def close(self) -> None:
        """End the child; batches under way are postponed."""
        self._child.close()

    def hear(self, batch: Batch) -> list[Heard]:
        """See `ports.Recognizer.hear`; also Postponed, when it is being closed."""
        speech_s = sum(passage.duration_s for passage in batch.passages)
        timeout_s = self._limits.base_timeout_s + speech_s * self._limits.timeout_per_speech_s
        self._await_start()
        try:
            heard = self._child.call(batch, timeout_s=timeout_s * (1 + self._ahead))
        except ChildClosed as error:
            raise Postponed("the worker is being closed") from error
        except (ChildCrashed, ChildTimeout) as error:
            raise RecognizerCrashed(str(error)) from error
        except ChildFailed as error:
            raise RecognizerCrashed(str(error), takes_all=False) from error
        except DeviceFailed:
            self._child.retire()
            raise
        return cast("list[Heard]", heard)

    def _await_start(self) -> None:
        """A child that does not even start has met no call yet."""
        try:
            self._child.start()
        except ChildClosed as error:
            raise Postponed("the worker is being closed") from error
        except ChildError as error:
            raise DeviceFailed(f"a fresh engine does not start: {error}") from error

    def _described(self) -> Capacity:
        self._await_start()
        return cast("Capacity", self._child.call(None, timeout_s=_DESCRIBE_TIMEOUT_S))


def _host(load: Load) -> Callable[[_Request], _Response]:
    """Runs in the child."""
    recognizer = load()
    return lambda batch: recognizer.capacity if batch is None else recognizer.hear(batch)


def load_whisper(files: ModelFiles, options: WhisperOptions) -> Recognizer:
    """Whisper, loaded and warm. Runs in the child."""
    from services.transcriber.adapters.whisper import Whisper  # noqa: PLC0415  the parent never loads the engine

    whisper = Whisper(files, options)
    whisper.warm_up()
    return whisper


def load_onnx(files: ModelFiles, options: OnnxOptions) -> Recognizer:
    """A model of onnx-asr, loaded and warm. Runs in the child."""
    from services.transcriber.adapters.onnx_recognizer import OnnxRecognizer  # noqa: PLC0415  as above

    recognizer = OnnxRecognizer(files, options)
    recognizer.warm_up()
    return recognizer
