"""The parent's side of the engine: one child that holds the model. Built by `__main__`.

Native code may crash or hang; then the child dies, not the consumer, and a fresh one loads the model again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from pipeline.errors import Postponed
from pipeline.isolation import ChildClosed, ChildCrashed, ChildFailed, ChildProcess, ChildTimeout, Limits
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.requests import CallWindows, WhisperOptions, whisper_facts
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.result import EngineFacts
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.ports import EngineCrashed, StillWanted

Load: TypeAlias = Callable[[ModelFiles, WhisperOptions], Callable[[CallWindows], list[WindowWords]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLimits:
    """What the engine may take.

    Attributes:
        start_timeout_s: Loading and warming the model.
        base_timeout_s: Any request.
        timeout_per_speech_s: On top, for each second of speech in it.
        memory_bytes: On top of the loaded model; None: no limit (CUDA reserves more than any sensible one).
    """

    start_timeout_s: float = 300.0
    base_timeout_s: float = 120.0
    timeout_per_speech_s: float = 20.0
    memory_bytes: int | None = None


class WhisperEngine:
    """A `ports.Engine` in a child process.

    Args:
        files: The model.
        options: How it runs.
        limits: What it may take.
        parameters: Of the front end, to stand in the provenance beside the engine's own.
        still_wanted: Asked about a call before its turn comes.
        load: Runs in the child and makes what hears; another one only where poison is tried.
    """

    def __init__(
        self,
        files: ModelFiles,
        options: WhisperOptions,
        limits: EngineLimits,
        parameters: Mapping[str, str | float] | None = None,
        *,
        still_wanted: StillWanted = lambda _call: None,
        load: Load | None = None,
    ) -> None:
        self._limits = limits
        self._still_wanted = still_wanted
        self._facts = whisper_facts(files, options, parameters)
        self._child: ChildProcess[CallWindows, list[WindowWords]] = ChildProcess(
            partial(load or _load, files, options),
            name="razgovor-engine",
            limits=Limits(memory_bytes=limits.memory_bytes),
            start_timeout_s=limits.start_timeout_s,
            outlives_failures=False,  # what a library raises may have left the device unusable
        )

    @property
    def facts(self) -> EngineFacts:
        """See `ports.Engine.facts`."""
        return self._facts

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
        """End the child; calls under way are postponed."""
        self._child.close()

    def transcribe(self, windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:
        """See `ports.Engine.transcribe`."""
        speech_s = sum(window.duration_s for window in windows)
        timeout_s = self._limits.base_timeout_s + speech_s * self._limits.timeout_per_speech_s

        def still_wanted() -> None:
            for call in dict.fromkeys(window.call for window in windows):
                self._still_wanted(call)

        try:
            return self._child.call(
                CallWindows(tuple(windows), hearing), timeout_s=timeout_s, still_wanted=still_wanted
            )
        except ChildClosed as error:
            raise Postponed("the worker is being closed") from error
        except (ChildCrashed, ChildTimeout, ChildFailed) as error:
            raise EngineCrashed(str(error)) from error


def _load(files: ModelFiles, options: WhisperOptions) -> Callable[[CallWindows], list[WindowWords]]:
    """Runs in the child."""
    from services.transcriber.adapters.whisper import Whisper  # noqa: PLC0415  the parent never loads the engine

    whisper = Whisper(files, options)
    whisper.warm_up()
    return whisper
