"""What a consumer group needs to fail well, made together: DLQ, fuse, canary, a way to try again. Made in `__main__`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pipeline.blobs.ports import BlobStore
from pipeline.stream.canary import Canary
from pipeline.stream.dead_letters import DeadLetters
from pipeline.stream.fuse import Fuse, FuseLimits
from pipeline.stream.ports import Producer
from pipeline.stream.retries import InPlace, Retries
from pipeline.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguards:
    """See the modules they come from."""

    dead_letters: DeadLetters
    fuse: Fuse
    canary: Canary
    retries: Retries
    metrics: Metrics

    @classmethod
    def of(
        cls,
        store: BlobStore,
        producer: Producer,
        *,
        group: str,
        clock: Callable[[], datetime],
        tell: Callable[[str], None] = lambda _state: None,
        retries: Retries | None = None,
        limits: FuseLimits | None = None,
        metrics: Metrics | None = None,
    ) -> Safeguards:
        """Those of a group over a store and a broker.

        Args:
            store: Holds the fuse's marker and feeds the canary.
            producer: Takes what is put aside.
            group: The consumer group.
            clock: The time, for the marker.
            tell: Told `fused` or `ready` whenever the fuse changes.
            retries: How an event is tried again; in place where nothing else is said.
            limits: What blows the fuse.
            metrics: Where all is counted.
        """
        counted = metrics or Metrics()
        fuse = Fuse(store, group=group, clock=clock, tell=tell, limits=limits, metrics=counted)
        return cls(
            dead_letters=DeadLetters(producer, group=group, fuse=fuse, metrics=counted),
            fuse=fuse,
            canary=Canary(store, producer, group=group),
            retries=retries or InPlace(),
            metrics=counted,
        )

    def watch_fuse(self, stop: threading.Event) -> None:
        """Look at the fuse's marker from now on, in a thread that ends with the process."""
        threading.Thread(target=self.fuse.watch, args=(stop,), name="fuse", daemon=True).start()
