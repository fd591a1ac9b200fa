"""The parent's side of the front end: limited children that decode and listen. Built by `__main__`.

A stranger's file may crash a decoder, hang it or eat memory: then the child dies, not the consumer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from pipeline.audio import DecodeLimits
from pipeline.blobs.scratch import scratch_errors
from pipeline.errors import CallFault
from pipeline.isolation import ChildPool, ChildTimeout, Limits
from services.transcriber.adapters.children import serve
from services.transcriber.adapters.places import Places
from services.transcriber.adapters.requests import Order
from services.transcriber.domain.hearing import Features
from services.transcriber.domain.preparation import Rules
from services.transcriber.domain.prepared import PreparedCall
from services.transcriber.domain.recording import Recording
from services.transcriber.ports import StillWanted

MakeListener: TypeAlias = Callable[[Rules, DecodeLimits], Callable[[Order], PreparedCall]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEndLimits:
    """What one call may take of the front end.

    Attributes:
        decode: What is taken of a recording.
        timeout_s: Decoding and listening together.
        memory_bytes: On top of the libraries and the speech model.
        long_recording_s: Longer ones never occupy all children.
        start_timeout_s: Loading these.
    """

    decode: DecodeLimits
    timeout_s: float
    memory_bytes: int
    long_recording_s: float = 600.0
    start_timeout_s: float = 120.0


class ChildFrontEnd:
    """A `ports.FrontEnd` in child processes.

    Args:
        scratch_dir: Where channel files lie while a call is worked on, in folders that only we can read; None: the
            system's temporary folder. 64 kB a second and channel, and for Whisper half as much or more for each second of speech.
        rules: What decides what the engine hears.
        limits: What one call may take.
        children: So many calls are prepared side by side; of long ones, one less.
        features: What the engine listens to.
        still_wanted: Asked about a call before its turn comes.
        listener: Runs in the child and makes what prepares calls; another one only where poison is tried.
    """

    def __init__(
        self,
        *,
        scratch_dir: Path | None,
        rules: Rules,
        limits: FrontEndLimits,
        children: int = 1,
        features: Features = Features.SAMPLES,
        still_wanted: StillWanted = lambda _call: None,
        listener: MakeListener | None = None,
    ) -> None:
        self._scratch_dir = scratch_dir
        self._limits = limits
        self._still_wanted = still_wanted
        self._features = features
        self._places = Places(children)
        self._children: ChildPool[Order, PreparedCall] = ChildPool(
            children,
            partial(listener or _listener, rules, limits.decode),
            name="razgovor-front-end",
            limits=Limits(memory_bytes=limits.memory_bytes),
            start_timeout_s=limits.start_timeout_s,
        )

    def start(self) -> None:
        """Start the children and load the speech model in each.

        Raises:
            Fatal: It is not installed.
            ChildError: It could not be loaded.
        """
        self._children.start()

    def close(self) -> None:
        """End the children; calls under way are postponed."""
        self._children.close()

    @contextmanager
    def prepare(self, audio: Path, recording: Recording) -> Iterator[PreparedCall]:
        """See `ports.FrontEnd.prepare`."""
        with scratch_errors():
            scratch = TemporaryDirectory(prefix="razgovor-call-", dir=self._scratch_dir)
        with scratch as folder:
            yield self._prepared(Order(audio=audio, folder=Path(folder), recording=recording, features=self._features))

    def _prepared(self, order: Order) -> PreparedCall:
        recording = order.recording
        still_wanted = partial(self._still_wanted, recording.call)
        is_long = recording.likely_duration_s > self._limits.long_recording_s
        try:
            with self._places.taken(priority=recording.priority, long=is_long, still_wanted=still_wanted):
                return serve(self._children, order, timeout_s=self._limits.timeout_s, still_wanted=still_wanted)
        except ChildTimeout as error:
            raise CallFault("decode_timeout", limit_s=error.limit_s) from error


def _listener(rules: Rules, limits: DecodeLimits) -> Callable[[Order], PreparedCall]:
    """Runs in the child."""
    from services.transcriber.adapters.listening import Listener  # noqa: PLC0415  the parent loads no decoder or model

    return Listener(rules, limits)
