"""One event through a service: decode, decide, apply effects, publish. The runner stores the offset after it.

This is the one place that applies an Outcome. Failures by kind (DESIGN: handlers say what kind, we decide what to do):

    undecodable              the DLQ
    CallFault                job.status failed with its reason; never the DLQ
    Transient                back to the runner: the same event again
    Permanent                the DLQ and job.status failed `internal_error`
    an unknown exception     three attempts in place, then the DLQ and job.status failed `internal_error`
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar

from pipeline.blobs.ports import BlobStore
from pipeline.contracts import events
from pipeline.contracts.events import Event, EventT
from pipeline.errors import CallFault, Fatal, Permanent, Transient
from pipeline.outcome import Outcome, PutObject
from pipeline.stream import wire
from pipeline.stream.dead_letters import DeadLetters
from pipeline.stream.ports import Message, Producer
from pipeline.telemetry import logs

_ATTEMPTS: Final = 3
_log = logs.get(__name__)


EventT_contra = TypeVar("EventT_contra", bound=Event, contravariant=True)


class Handler(Protocol[EventT_contra]):
    """Decides what follows from an event; reads through its ports, writes nothing."""

    def __call__(self, event: EventT_contra, received_at: datetime, /) -> Outcome[PutObject]:
        """The outcome of an event that was picked up at `received_at`."""


class Announce(Protocol[EventT_contra]):
    """Says what is published before the work: that it has begun."""

    def __call__(self, event: EventT_contra, /) -> Sequence[Event]:
        """The events to publish ahead."""


def nothing_ahead(_event: Event) -> Sequence[Event]:
    """Announce nothing before the work."""
    return ()


class EventProcessor(Generic[EventT]):
    """The `process` function of a service that turns events into objects and events."""

    def __init__(
        self,
        handler: Handler[EventT],
        *,
        expects: type[EventT],
        stage: str,
        store: BlobStore,
        producer: Producer,
        dead_letters: DeadLetters,
        clock: Callable[[], datetime],
        announce: Announce[EventT] = nothing_ahead,
    ) -> None:
        """Any other event than `expects` on our topics is put aside; `clock` tells the time of pickup."""
        self._expects = expects
        self._announce = announce
        self._handler = handler
        self._stage = stage
        self._store = store
        self._producer = producer
        self._dead_letters = dead_letters
        self._clock = clock

    def __call__(self, messages: Sequence[Message]) -> None:
        """Carry messages through, one after another.

        Raises:
            Transient: A dependency is away; everything may be done again.
            Fatal: This process cannot go on.
        """
        for message in messages:
            self._carry(message)

    def _carry(self, message: Message) -> None:
        try:
            event = wire.decode(message)
        except Permanent as error:
            self._dead_letters.put(message, error.reason, stage="decode")
            return
        if not isinstance(event, self._expects):
            self._dead_letters.put(message, "unexpected_event", stage="decode", event_id=event.event_id)
            return
        self._publish(self._announce(event))
        outcome = self._decide(message, event)
        for effect in outcome.effects:
            self._store.put(effect.key, effect.data, media_type=effect.media_type)
        self._publish(outcome.events)

    def _publish(self, followers: Sequence[Event]) -> None:
        if followers:
            self._producer.publish([wire.encode(follower) for follower in followers])

    def _decide(self, message: Message, event: EventT) -> Outcome[PutObject]:
        received_at = self._clock()
        kind = ""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._handler(event, received_at)
            except CallFault as fault:
                _log.info("call_failed", job_id=event.job_id, reason=fault.reason)
                return Outcome(events=(events.failure(event, self._stage, fault.reason, dict(fault.details)),))
            except (Transient, Fatal):
                raise
            except Permanent as error:
                kind = error.reason
                break
            except Exception as error:  # noqa: BLE001  the boundary: a bug of ours must not stop the partition
                kind = type(error).__name__
                # Frames only: an exception's text can hold what was said or who said it.
                frames = traceback.format_tb(error.__traceback__)
                _log.error("unknown_error", job_id=event.job_id, attempt=attempt, kind=kind, frames=frames)
        self._dead_letters.put(message, kind, stage="handle", attempt=_ATTEMPTS, event_id=event.event_id)
        return Outcome(events=(events.failure(event, self._stage, "internal_error", {"service": self._stage}),))
