"""The calls under way in this worker: taken on with a start marker, let go of with what became of the start.

finished                    the transcript is the sign; a failure that has a name releases the start
drained, or handed over     released
the engine died with it     left as it is: that is the crash; the call is taken again, after all that waits
the worker died with it     the same, and nobody has to do anything
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from pipeline.blobs.ports import BlobStore
from pipeline.contracts import layout
from pipeline.contracts.events import AudioUploaded
from pipeline.errors import CalledOff, Fatal, Postponed, Transient
from pipeline.stream.ports import Message
from pipeline.telemetry import logs
from services.transcriber.domain.starts import STARTS_TOGETHER, Course, Starts, course, starts_in
from services.transcriber.handler import find_transcript, recording_of
from services.transcriber.intake.gate import Gate
from services.transcriber.intake.hands import Hand, Hands, Taken
from services.transcriber.intake.health import EngineHealth
from services.transcriber.intake.markers import Markers, Start, call_name
from services.transcriber.intake.patience import Patience
from services.transcriber.intake.shares import Shares
from services.transcriber.ports import EngineCrashed

_Process: TypeAlias = Callable[[Sequence[Message]], None]

#: A call that others may be working on is looked at so often, and they give so many signs of life, within the patience.
_LOOKS: Final = 3
_CRASHES_KNOWN_MAX: Final = 4096
#: A call for which there is no place is looked at so often.
_PLACE_EVERY_S: Final = 0.5

_log = logs.get(__name__)


class Intake:
    """Takes calls on.

    Args:
        store: Where markers and transcripts lie.
        takeover_after_s: How long a call that another began is left alone without a sign of life.
        places: How many calls may be under way.
        long_recording_s: Calls that are longer take no more than half of them.
        monotonic_s: A clock that never goes back.
    """

    def __init__(
        self,
        store: BlobStore,
        *,
        takeover_after_s: float,
        places: int,
        long_recording_s: float,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._markers = Markers(store)
        self._patience = Patience(takeover_after_s, monotonic_s)
        self._look_every_s = takeover_after_s / _LOOKS
        self._gate = Gate()
        self._shares = Shares(places)
        self._long_recording_s = long_recording_s
        self._health = EngineHealth()
        self._hands = Hands()
        self._crashes: OrderedDict[str, set[int]] = OrderedDict()
        self._lock = threading.Lock()
        self._disowned = threading.Event()
        self._beating: threading.Thread | None = None

    # --- around the work, on the worker's thread

    def around(self, process: _Process) -> _Process:
        """The `process` function that takes each call on, has `process` carry it, and lets go of it."""

        def carry(messages: Sequence[Message]) -> None:
            for message in messages:
                self._carry(message, process)

        return carry

    def _carry(self, message: Message, process: _Process) -> None:
        hand = self._hands.pick(message)
        try:
            process([message])
        except EngineCrashed as crash:
            self._hands.drop(message)
            self._crashed(hand, crash)
            raise
        except Postponed:
            self._hands.drop(message)
            self._release(hand)
            raise
        except Transient:
            raise  # the same again, so the start stands
        else:
            self._hands.drop(message)
            self._done(hand)
        finally:
            self._go_out(hand)

    def _go_out(self, hand: Hand) -> None:
        if hand.inside:
            hand.inside = False
            self._gate.leave(alone=hand.alone)
        if hand.place is not None:
            self._shares.give_back(hand.place)
            hand.place = None

    def _done(self, hand: Hand) -> None:
        if hand.start is None:
            return
        if hand.transcribed:
            self._health.heard()
        else:
            self._release(hand)

    def _release(self, hand: Hand) -> None:
        start, hand.start = hand.start, None
        if start is not None and not self._markers.release(start):
            self._remember_crash(start)

    def _crashed(self, hand: Hand, crash: EngineCrashed) -> None:
        start, hand.start = hand.start, None
        if start is None:
            return
        self._remember_crash(start)
        _log.error("engine_crashed", job_id=start.job_id, run=start.run, start=start.number, alone=hand.alone)
        if start.number > STARTS_TOGETHER:  # alone, because workers left over it: this has to end
            return
        if blameless := self._health.crashed(start, crash):
            self._markers.release_all(blameless)
            raise Fatal("the speech engine crashed with several calls in a row: this worker is sick")

    # --- within the work: what handler and adapters ask

    def take(self, event: AudioUploaded) -> Taken:
        """Take on the call that this thread carries: find its transcript, or mark a start.

        Raises:
            Postponed: Another may be working on it, it is not ours any more, or there is no place for such a call.
            CalledOff: It was canceled, or its job erased.
            Transient: The store does not answer.
        """
        hand = self._hands.current
        hand.call = call_name(event.job_id, event.run)
        is_long = recording_of(event).likely_duration_s > self._long_recording_s
        hand.place = self._shares.take(event.priority, is_long=is_long)
        if hand.place is None:
            raise Postponed("others go first", retry_after_s=_PLACE_EVERY_S)
        hand.taken = self._look(hand, event)
        return hand.taken

    @property
    def taken(self) -> Taken:
        """How the call that this thread carries was taken on."""
        return self._hands.current.taken

    def transcribed(self) -> None:
        """The engine has heard the call that this thread carries."""
        self._hands.current.transcribed = True

    def still_wanted(self, call: str) -> None:
        """Whether a call that waits for its turn is to wait on.

        Raises:
            Postponed: It is not: the worker drains, or the call is another's now.
        """
        self._hands.check_call(call)

    def _look(self, hand: Hand, event: AudioUploaded) -> Taken:
        while True:
            names = self._markers.names(event)
            if layout.CALLED_OFF_NAME in names:
                raise CalledOff
            if (found := find_transcript(event, self._store, names)) is not None:
                return Taken(found=found)
            starts = starts_in(names)
            if hand.start is not None:  # the same again after a pause
                how = Course.ALONE if hand.alone else Course.TOGETHER
            else:
                how = self._judged(hand, starts)
            if how is Course.GIVE_UP:
                return Taken(given_up=True)
            if hand.inside or self._enter(hand, alone=how is Course.ALONE):
                break
        if hand.start is None:
            self._begin(hand, Start(event.job_id, event.run, starts.next_number))
        return Taken()

    def _judged(self, hand: Hand, starts: Starts) -> Course:
        if starts.unreleased - self._crashes.get(hand.call, set()):
            left_s = self._patience.left_s(hand.call, starts.signs)
            if left_s > 0:
                raise Postponed("another may be working on it", retry_after_s=min(left_s, self._look_every_s))
        return course(starts)

    def _enter(self, hand: Hand, *, alone: bool) -> bool:
        """Go in; whether what was seen of the call is still fresh: who waited to be alone may have waited for long."""
        self._gate.enter(alone=alone, still_wanted=lambda: self._hands.check(hand))
        hand.inside, hand.alone = True, alone
        return not alone

    def _begin(self, hand: Hand, start: Start) -> None:
        self._patience.forget(hand.call)
        self._markers.begin(start)
        hand.start = start
        self._hands.check(hand)

    def _remember_crash(self, start: Start) -> None:
        with self._lock:
            self._crashes.setdefault(start.call, set()).add(start.number)
            if len(self._crashes) > _CRASHES_KNOWN_MAX:
                self._crashes.popitem(last=False)

    # --- what the runner tells

    def disowned(self, messages: Sequence[Message]) -> None:
        """See `Custody.disowned`."""
        self._hands.disown(messages)
        with self._lock:
            if self._beating is None:
                self._beating = threading.Thread(target=self._beat, daemon=True, name="signs-of-life")
                self._beating.start()
        self._disowned.set()

    def draining(self) -> None:
        """See `Custody.draining`."""
        self._hands.drain()

    def left(self, messages: Sequence[Message]) -> None:
        """See `Custody.left`."""
        self._markers.release_all(self._hands.leave(messages))

    def _beat(self) -> None:
        rest = threading.Event()
        while True:
            self._disowned.wait()
            self._disowned.clear()
            while self.live():
                rest.wait(self._look_every_s)

    def live(self) -> bool:
        """Give a sign of life for every call that goes on here though it is another's now; whether there is any."""
        beats = self._hands.beats()
        self._markers.live(beats)
        return bool(beats)
