"""Recordings that break whoever works on them: the mark in the file, and what it does in the child that reads it."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

from pipeline.audio import DecodeLimits
from services.transcriber.adapters.requests import Order
from services.transcriber.domain.hearing import Batch, Heard
from services.transcriber.domain.preparation import Rules
from services.transcriber.domain.prepared import PreparedCall
from services.transcriber.fakes import FakeRecognizer

_MARK: Final = b"razgovor-chaos:"
_END: Final = b";"
_BITE_BYTES: Final = 1 << 26


class Poison(StrEnum):
    """Who is poisoned, and how it ends."""

    ENGINE_CRASH = "engine-crash"
    ENGINE_HANG = "engine-hang"
    ENGINE_MEMORY = "engine-memory"
    ENGINE_WITH_PARENT = "engine-with-parent"
    DECODER_CRASH = "decoder-crash"
    DECODER_HANG = "decoder-hang"
    DECODER_MEMORY = "decoder-memory"
    DECODER_WITH_PARENT = "decoder-with-parent"

    @property
    def is_decoders(self) -> bool:
        """Whether the decoder's child takes it; the engine's otherwise."""
        return self.name.startswith("DECODER")

    @property
    def mark(self) -> bytes:
        """What stands in the recording."""
        return _MARK + self.value.encode() + _END


def poison_in(recording: bytes) -> Poison | None:
    """The poison of a recording, if it is marked."""
    start = recording.find(_MARK)
    if start < 0:
        return None
    end = recording.find(_END, start)
    return Poison(recording[start + len(_MARK) : end].decode())


def take(poison: Poison) -> None:
    """Do to this process what the poison does."""
    _, _, how = poison.partition("-")
    _HARM[how]()


def _crash() -> None:
    ctypes.string_at(0)  # native code reading where nothing is


def _hang() -> None:
    threading.Event().wait()


def _eat() -> None:
    eaten: list[bytearray] = []
    while True:
        eaten.append(bytearray(_BITE_BYTES))


def _crash_with_parent() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    _crash()


_HARM: Final[dict[str, Callable[[], None]]] = {
    "crash": _crash,
    "hang": _hang,
    "memory": _eat,
    "with-parent": _crash_with_parent,
}


def poisoned_listener(rules: Rules, limits: DecodeLimits) -> Callable[[Order], PreparedCall]:
    """The decoder's child: the real one, but poison works on it."""
    from services.transcriber.adapters.listening import Listener  # noqa: PLC0415  the parent loads no decoder

    listener = Listener(rules, limits)

    def listen(order: Order) -> PreparedCall:
        _taste(order.audio)
        return listener(order)

    return listen


class PoisonedRecognizer(FakeRecognizer):
    """The engine's child: no model, and poison works on it."""

    def hear(self, batch: Batch) -> list[Heard]:
        """See `ports.Recognizer.hear`."""
        for passage in batch.passages:
            _taste(passage.window.pcm)
        return super().hear(batch)


def _taste(recording: Path) -> None:
    poison = poison_in(recording.read_bytes())
    if poison is not None:
        take(poison)
