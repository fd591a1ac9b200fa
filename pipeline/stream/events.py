"""One event through a service: decode, decide, apply effects, publish. The runner stores the offset after it.

This is the one place that applies an Outcome, and the one that acts on failures by kind. Handlers say what kind,
`canary` tells whose fault it is, `verdicts` what it means, `retries` how it is tried again:

    undecodable                        the DLQ
    a failure, and the canary fails    back to the runner: the same event again, no attempt burned
    a failure, and the canary works    as its verdict says: another attempt, or the DLQ and job.status failed
    called off                         nothing: ingest says what became of the job
    the DLQ or the broker takes nothing    back to the runner: no offset passes what is put nowhere
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar, cast

from pipeline.blobs.ports import BlobStore
from pipeline.contracts import events, layout
from pipeline.contracts.events import Event, EventT, JobStatus
from pipeline.crash_points import reach
from pipeline.errors import CalledOff, Fatal, Permanent, Transient, Unavailable
from pipeline.outcome import Outcome, PutObject
from pipeline.stream.ports import Message, Producer
from pipeline.stream.retries import ATTEMPTS
from pipeline.stream.safeguards import Safeguards
from pipeline.stream.under_way import UnderWay
from pipeline.stream.verdicts import TRANSIENT, UNKNOWN, Verdict, verdict
from pipeline.stream.wire import Wire
from pipeline.telemetry import families, logs

#: Outcomes that the store did not take yet are held: deciding again could cost minutes of the engine.
_HELD_OUTCOMES_MAX: Final = 64
_log = logs.get(__name__)


EventT_contra = TypeVar("EventT_contra", bound=Event, contravariant=True)
EffectT = TypeVar("EffectT")
EffectT_co = TypeVar("EffectT_co", covariant=True)


class Handler(Protocol[EventT_contra, EffectT_co]):
    """Decides what follows from an event; reads through its ports, writes nothing."""

    def __call__(self, event: EventT_contra, received_at: datetime, /) -> Outcome[EffectT_co]:
        """The outcome of an event that was picked up at `received_at`."""


class Announce(Protocol[EventT_contra]):
    """Says what is published before the work: that it has begun."""

    def __call__(self, event: EventT_contra, /) -> Sequence[Event]:
        """The events to publish ahead."""


def nothing_ahead(_event: Event) -> Sequence[Event]:
    """Announce nothing before the work."""
    return ()


class OnFailure(Protocol[EventT_contra]):
    """Keeps that an event failed, before it is told."""

    def __call__(self, event: EventT_contra, failure: JobStatus, /) -> JobStatus | None:
        """What is told instead; None: nothing is to be told."""


def as_it_is(_event: Event, failure: JobStatus) -> JobStatus:
    """Keep nothing."""
    return failure


class EventProcessor(Generic[EventT, EffectT]):
    """The `process` function of a service that turns events into effects and events."""

    def __init__(
        self,
        handler: Handler[EventT, EffectT],
        *,
        expects: type[EventT],
        stage: str,
        store: BlobStore,
        producer: Producer,
        guards: Safeguards,
        clock: Callable[[], datetime],
        announce: Announce[EventT] = nothing_ahead,
        wire: Wire | None = None,
        announce_looks: bool = False,
        apply: Callable[[EffectT], None] | None = None,
        on_failure: OnFailure[EventT] = as_it_is,
    ) -> None:
        """Any other event than `expects` on our topics is put aside; `clock` tells the time of pickup.

        `announce_looks`: it finds out itself whether a run was called off, and raises CalledOff. `apply` does an effect, which
        must be safe to repeat; where nothing is said they are objects, and are put.
        """
        self._apply_one = apply if apply is not None else cast("Callable[[EffectT], None]", self._put)
        self._on_failure = on_failure
        self._announce_looks = announce_looks
        self._expects = expects
        self._announce = announce
        self._handler = handler
        self._stage = stage
        self._store = store
        self._producer = producer
        self._dead_letters = guards.dead_letters
        self._canary = guards.canary
        self._fuse = guards.fuse
        self._retries = guards.retries
        self._metrics = guards.metrics
        self._clock = clock
        self._wire = wire or Wire()
        self._held: UnderWay[Outcome[EffectT]] = UnderWay(_HELD_OUTCOMES_MAX)

    def __call__(self, messages: Sequence[Message]) -> None:
        """Carry messages through, one after another.

        Raises:
            Transient: A dependency is away, or the fuse has blown; everything may be done again.
            Fatal: This process cannot go on.
        """
        for message in messages:
            self._fuse.check()
            self._carry(message)
            self._retries.forget(message)
            self._held.forget(message)

    def _carry(self, message: Message) -> None:
        event = self._decoded(message)
        if event is None:
            return
        reach("stream.decoded")
        try:
            self._work(message, event)
        except (Unavailable, Fatal):
            raise
        except CalledOff:
            _log.info("called_off", job_id=event.job_id, run=event.run)
            self._metrics.add(families.ATTEMPTS, outcome="called_off")
            self._fuse.passed()
        except Exception as error:  # noqa: BLE001  the boundary: a bug of ours must not stop the partition
            self._failed(message, event, error)
        else:
            self._metrics.add(families.ATTEMPTS, outcome="done")
            self._fuse.passed()

    def _decoded(self, message: Message) -> EventT | None:
        """The event; None if it was put aside."""
        try:
            event = self._wire.decode(message)
        except Permanent as error:
            self._dead_letters.put(message, error.reason, stage="decode", attempt=self._retries.attempt(message))
            return None
        if isinstance(event, self._expects):
            return event
        self._dead_letters.put(message, "unexpected_event", stage="decode", event_id=event.event_id)
        return None

    def _work(self, message: Message, event: EventT) -> None:
        try:
            self._work_once(message, event)
        except Unavailable:
            raise
        except Transient:
            # Only an event that fails before and after a living canary is at fault: a store that fails now and then
            # lets a canary through now and then.
            self._canary.check()
            self._work_once(message, event)

    def _work_once(self, message: Message, event: EventT) -> None:
        outcome = self._held.get(message)
        if outcome is None:
            if not self._announce_looks:
                self._require_wanted(event)
            self._publish(self._announce(event))
            reach("stream.announced")
            outcome = self._handler(event, self._clock())
            reach("stream.decided")
        if outcome.effects:
            self._apply(message, event, outcome)
        self._require_wanted(event)
        self._publish(outcome.events)
        reach("stream.published")

    def _require_wanted(self, event: EventT) -> None:
        """Go on only while nobody called the run off. Who canceled or erased put the marker before telling anybody."""
        if self._store.stat(layout.called_off_key(event.job_id, event.run)) is not None:
            raise CalledOff

    def _put(self, effect: PutObject) -> None:
        self._store.put(effect.key, effect.data, media_type=effect.media_type)

    def _apply(self, message: Message, event: EventT, outcome: Outcome[EffectT]) -> None:
        try:
            self._require_wanted(event)
            for effect in outcome.effects:
                self._apply_one(effect)
                reach("stream.effect_put")
        except Transient:
            self._held.keep(message, outcome)
            raise

    def _publish(self, followers: Sequence[Event]) -> None:
        if not followers:
            return
        try:
            self._producer.publish([self._wire.encode(follower) for follower in followers])
        except Transient as error:
            # Whatever the broker's metadata say, a record that it does not take is not the event's doing.
            raise Unavailable(str(error), retry_after_s=error.retry_after_s) from error

    def _failed(self, message: Message, event: EventT, error: Exception) -> None:
        found, attempt = verdict(error, self._stage), self._retries.attempt(message)
        _tell(event, error, found, attempt)
        if found.retriable:
            self._canary.check()
        self._metrics.add(families.ATTEMPTS, outcome=found.kind)
        if found.retriable and attempt < ATTEMPTS:
            self._retries.again(message)
            return
        if found.aside_as is not None:
            event_id = event.event_id
            self._dead_letters.put(message, found.aside_as, stage="handle", attempt=attempt, event_id=event_id)
        failure = self._on_failure(event, events.failure(event, self._stage, found.reason, dict(found.details)))
        self._publish(() if failure is None else (failure,))


def _tell(event: Event, error: Exception, found: Verdict, attempt: int) -> None:
    facts = {"job_id": event.job_id, "run": event.run, "attempt": attempt, "reason": found.reason}
    if found.kind != UNKNOWN:
        _log.warning("call_failed", **facts, kind=found.kind, error=str(error) if found.kind == TRANSIENT else None)
    else:
        # Frames only: an exception's text can hold what was said or who said it.
        frames = traceback.format_tb(error.__traceback__)
        _log.error("unknown_error", **facts, kind=type(error).__name__, frames=frames)
