"""What the handler needs of the world: something that prepares a call, something that hears words in windows.

`adapters` provide them in child processes, `fakes` in memory; the handler gets them by argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.blobs.ports import BlobStore
from services.transcriber.domain.prepared import PreparedCall
from services.transcriber.domain.result import EngineFacts
from services.transcriber.domain.windows import Window, WindowWords


class FrontEnd(Protocol):
    """Decodes a recording, splits its channels and finds what is to be heard."""

    def prepare(self, audio: Path, *, call: str, sha256: str) -> AbstractContextManager[PreparedCall]:
        """The call made ready; its files last as long as the context.

        Args:
            audio: The recording; only read.
            call: Goes into the windows, to tell calls apart.
            sha256: What the recording's bytes must hash to.

        Raises:
            CallFault: `audio_mismatch`, `no_audio`, `invalid_header`, `unsupported_codec`, `too_long`,
                `too_many_channels`, `decode_timeout`, `worker_crashed`.
            Transient: It is being closed.
        """


class Engine(Protocol):
    """Hears words. Windows may be of different channels and calls; what is heard in one never depends on the others."""

    @property
    def facts(self) -> EngineFacts:
        """What the words come from."""

    def transcribe(self, windows: Sequence[Window], language: str) -> list[WindowWords]:
        """The words of each window, in the order of `windows`.

        Args:
            windows: Their files must last until this returns.
            language: ISO 639-1.

        Raises:
            CallFault: `engine_failed`, `worker_crashed`.
            Fatal: The model cannot be loaded.
            Transient: It is being closed.
        """


@dataclass(frozen=True, slots=True)
class Ports:
    """All that `handler` reads by."""

    store: BlobStore
    front_end: FrontEnd
    engine: Engine
