"""The parent's side of the front end: one limited child that decodes and listens. Built by `__main__`.

A stranger's file may crash a decoder, hang it or eat memory: then the child dies, not the consumer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.audio import DecodeLimits
from pipeline.errors import CallFault
from pipeline.isolation import ChildProcess, ChildTimeout, Limits
from services.transcriber.adapters.children import serve
from services.transcriber.adapters.requests import Order
from services.transcriber.domain.preparation import Rules
from services.transcriber.domain.prepared import PreparedCall


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEndLimits:
    """What one call may take of the front end.

    Attributes:
        decode: What is taken of a recording.
        timeout_s: Decoding and listening together.
        memory_bytes: On top of the libraries and the speech model.
        start_timeout_s: Loading these.
    """

    decode: DecodeLimits
    timeout_s: float
    memory_bytes: int
    start_timeout_s: float = 120.0


class ChildFrontEnd:
    """A `ports.FrontEnd` in a child process.

    Args:
        scratch_dir: Where channel files lie while a call is worked on, in folders that only we can read; None: the
            system's temporary folder. 64 kB a second and channel.
        rules: What decides what the engine hears.
        limits: What one call may take.
    """

    def __init__(self, *, scratch_dir: Path | None, rules: Rules, limits: FrontEndLimits) -> None:
        self._scratch_dir = scratch_dir
        self._limits = limits
        self._child: ChildProcess[Order, PreparedCall] = ChildProcess(
            partial(_listener, rules, limits.decode),
            name="razgovor-front-end",
            limits=Limits(memory_bytes=limits.memory_bytes),
            start_timeout_s=limits.start_timeout_s,
        )

    def start(self) -> None:
        """Start the child and load the speech model.

        Raises:
            Fatal: It is not installed.
            ChildError: It could not be loaded.
        """
        self._child.start()

    def close(self) -> None:
        """End the child; a call under way gets Transient."""
        self._child.close()

    @contextmanager
    def prepare(self, audio: Path, *, call: str, sha256: str) -> Iterator[PreparedCall]:
        """See `ports.FrontEnd.prepare`."""
        with TemporaryDirectory(prefix="razgovor-call-", dir=self._scratch_dir) as folder:
            yield self._prepared(audio, Path(folder), call, sha256)

    def _prepared(self, audio: Path, folder: Path, call: str, sha256: str) -> PreparedCall:
        order = Order(audio=audio, folder=folder, call=call, sha256=sha256)
        try:
            return serve(self._child, order, timeout_s=self._limits.timeout_s)
        except ChildTimeout as error:
            raise CallFault("decode_timeout", limit_s=error.limit_s) from error


def _listener(rules: Rules, limits: DecodeLimits) -> Callable[[Order], PreparedCall]:
    """Runs in the child."""
    from services.transcriber.adapters.listening import Listener  # noqa: PLC0415  the parent loads no decoder or model

    return Listener(rules, limits)
