"""What the handler needs of the world: something that prepares a call, something that hears words in windows.

`adapters` provide them in child processes, `fakes` in memory; the handler gets them by argument. Beneath `Engine`, which
serves calls, lies `Recognizer`, which serves batches: a speech model of any kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from pipeline.blobs.ports import BlobStore
from pipeline.errors import Postponed, RazgovorError
from services.transcriber.domain.hearing import Batch, Capacity, Heard, Hearing
from services.transcriber.domain.prepared import PreparedCall
from services.transcriber.domain.recording import Recording
from services.transcriber.domain.result import EngineFacts
from services.transcriber.domain.windows import Window, WindowWords

#: Asked by name of a call, `{job}/{run}`, before its turn comes; raises Postponed to let it go.
StillWanted: TypeAlias = Callable[[str], None]


class EngineCrashed(Postponed):
    """The engine died, hung or broke with this call in it, perhaps among others. The next call finds a fresh one.

    Attributes:
        calls: All that it had in hand, by name.
    """

    def __init__(self, message: str, *, calls: frozenset[str] = frozenset()) -> None:
        super().__init__(message)
        self.calls = calls


class RecognizerError(RazgovorError):
    """A recognizer gave no answer to a batch."""


class OutOfDeviceMemory(RecognizerError):
    """The batch is too large for the device; a smaller one may not be."""


class DeviceFailed(RecognizerError):
    """The device does not work, whatever it is given. No call is to blame."""


class RecognizerCrashed(RecognizerError):
    """It died, hung or broke over the batch; the next one finds a fresh one.

    Attributes:
        takes_all: Whether all batches that it had in hand are lost, not this one alone.
    """

    def __init__(self, message: str, *, takes_all: bool = True) -> None:
        super().__init__(message)
        self.takes_all = takes_all


class FrontEnd(Protocol):
    """Decodes a recording, splits its channels and finds what is to be heard."""

    def prepare(self, audio: Path, recording: Recording) -> AbstractContextManager[PreparedCall]:
        """The call made ready; its files last as long as the context.

        Args:
            audio: The recording's bytes; only read.
            recording: What is known of it.

        Raises:
            RetriableFault: `audio_mismatch`.
            CallFault: `no_audio`, `invalid_header`, `unsupported_codec`, `too_long`,
                `too_many_channels`, `decode_timeout`.
            WorkerCrashed: The decoder crashed with it, twice, alone.
            Postponed: The call is not wanted any more, or the front end is being closed.
        """


class Engine(Protocol):
    """Hears words. Windows may be of different channels and calls; what is heard in one never depends on the others.

    Called from several threads at once, by each for its own call.
    """

    @property
    def facts(self) -> EngineFacts:
        """What the words come from."""

    def transcribe(self, windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:
        """The words of each window, in the order of `windows`.

        Args:
            windows: Of one call. Their files must last until this returns.
            hearing: How they are to be heard.

        Raises:
            CallFault: `unsupported_language`: the model does not know it.
            EngineCrashed: It died, hung or broke.
            Fatal: The model cannot be loaded.
            Postponed: The call is not wanted any more, or the engine is being closed.
        """


class Recognizer(Protocol):
    """A speech model: hears one batch of passages. Called from as many threads at once as it has slots, and `ahead`."""

    @property
    def facts(self) -> EngineFacts:
        """What the words come from."""

    @property
    def capacity(self) -> Capacity:
        """What it takes.

        Raises:
            Fatal: The model cannot be loaded.
        """

    def hear(self, batch: Batch) -> list[Heard]:
        """What is heard in each passage, in their order.

        Args:
            batch: Within `capacity`; its language is understood.

        Raises:
            OutOfDeviceMemory: The batch is too large.
            DeviceFailed: The device does not work.
            RecognizerCrashed: It died, hung or broke.
            Fatal: The model cannot be loaded.
        """


@dataclass(frozen=True, slots=True)
class Ports:
    """All that `handler` reads by."""

    store: BlobStore
    front_end: FrontEnd
    engine: Engine
