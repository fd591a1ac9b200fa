"""The intake of upstream systems' calls over its topic: peers waited for, the runner, its safeguards. Made by `__main__`.

It runs in a thread of ingest's process and waits for broker and registry by itself: uploads need neither.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from pipeline.blobs.ports import BlobStore
from pipeline.contracts.events import CallRecorded
from pipeline.errors import Transient
from pipeline.outcome import Outcome
from pipeline.stream.events import EventProcessor
from pipeline.stream.ports import Consumer, Producer
from pipeline.stream.runner import Limits, Runner
from pipeline.stream.safeguards import Safeguards
from pipeline.stream.wire import Wire
from pipeline.telemetry import logs
from pipeline.telemetry.metrics import Metrics
from services.ingest.calls.decision import STAGE, KnownClients, TakeCall, decide
from services.ingest.calls.ports import Calls
from services.ingest.calls.refusing import Refusing
from services.ingest.calls.taking import Taking

GROUP: Final = "ingest"
TOPICS: Final = (CallRecorded.TOPIC,)
_PEER_PAUSE_S: Final = 1.0


class Intake:
    """Takes calls until it is told to stop.

    Args:
        consumer: Makes a member of the group, once the peers answer.
        calls: What became of calls.
        clients: Whose they can be.
        taking: Copies and accepts.
        store: Where recordings lie, and the fuse's marker.
        producer: Takes answers, and what is put aside.
        wire: How events stand on the wire.
        languages: That this installation transcribes.
        limits: How many are copied at once, and how long a drain waits.
        clock: The time, for the fuse's marker.
        tell: Told `fused` or `ready` whenever the fuse changes.
        metrics: Where all is counted.

    Attributes:
        process: What the runner does with records.
    """

    def __init__(
        self,
        consumer: Callable[[], Consumer],
        *,
        calls: Calls,
        clients: KnownClients,
        taking: Taking,
        store: BlobStore,
        producer: Producer,
        wire: Wire,
        languages: frozenset[str],
        limits: Limits,
        clock: Callable[[], datetime],
        tell: Callable[[str], None] = lambda _state: None,
        metrics: Metrics | None = None,
    ) -> None:
        self._consumer = consumer
        self._limits = limits
        self._metrics = metrics or Metrics()
        self._guards = Safeguards.of(store, producer, group=GROUP, clock=clock, tell=tell, metrics=self._metrics)
        self._peers: Sequence[Callable[[], object]] = (producer.verify, wire.verify, self._guards.fuse.look)

        def decided(event: CallRecorded, _received_at: datetime) -> Outcome[TakeCall]:
            return decide(event, calls, clients, languages)

        self.process = EventProcessor(
            decided,
            expects=CallRecorded,
            stage=STAGE,
            store=store,
            producer=producer,
            guards=self._guards,
            clock=clock,
            wire=wire,
            apply=taking,
            on_failure=Refusing(calls, store),
        )

    def run(self, stop: threading.Event) -> None:
        """Wait for the peers, then take calls until `stop` is set, then drain.

        Raises:
            Fatal: A peer refuses us.
        """
        if not all(_answers(ask, stop) for ask in self._peers):
            return
        self._guards.watch_fuse(stop)
        runner = Runner(self._consumer(), TOPICS, self.process, self._limits, lambda: None, metrics=self._metrics)
        runner.run(stop)


def _answers(ask: Callable[[], object], stop: threading.Event) -> bool:
    """Ask until there is an answer; False if we were told to stop first."""
    while not stop.is_set():
        try:
            ask()
        except Transient as error:
            logs.get(__name__).warning("calls_wait", error=str(error))
            stop.wait(_PEER_PAUSE_S)
        else:
            return True
    return False
