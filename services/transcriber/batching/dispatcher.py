"""Has recognizers hear what the queue gives, a thread for each of their slots, and takes back what comes of it.

A batch is not interrupted, and one of a long call takes seconds. So a recognizer may have express threads besides: while
all its slots hold calls of much more speech, they take what is small, and share the processor with the slots for that moment.

A passage is put back when its device failed: that is nobody's fault. When a recognizer dies, the calls that it had in hand
end with EngineCrashed, and no others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from pipeline.errors import Fatal, Postponed
from pipeline.telemetry import logs
from services.transcriber.batching.calls import CallInHand
from services.transcriber.batching.courses import Attempt, Course, Kind, Ladder
from services.transcriber.batching.devices import Device, Lane, Owner, Taken
from services.transcriber.batching.former import Former, Waiting
from services.transcriber.batching.watching import HeardBatch, Watch
from services.transcriber.domain.hearing import Batch, Heard
from services.transcriber.ports import DeviceFailed, EngineCrashed, OutOfDeviceMemory, RecognizerCrashed

_log = logs.get(__name__)


class Dispatcher:
    """Everything that is waiting or in hand.

    Args:
        devices: What hears.
        ladder: How each kind of attempt searches.
        linger_s: See `Former`.
        watch: Is told how things stand.
        monotonic_s: A clock that never goes back.
    """

    def __init__(
        self,
        devices: Sequence[Device],
        ladder: Ladder,
        linger_s: float,
        watch: Watch,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._devices = devices
        self._ladder = ladder
        self._watch = watch
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._for_slots = threading.Condition(self._lock)
        self._former: Former[Owner] = Former(linger_s)
        self._calls: set[CallInHand] = set()
        self._end: Exception | None = None
        self._threads = [
            threading.Thread(
                target=self._work,
                args=(device, lane),
                daemon=True,
                name=f"{lane.name.lower()}-{device.number}-{number}",
            )
            for device in devices
            for lane, count in (
                (Lane.MAIN, device.capacity.slots + device.capacity.ahead),
                (Lane.EXPRESS, device.capacity.express),
            )
            for number in range(count)
        ]

    def start(self) -> None:
        """Begin to work."""
        self._tell_devices()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Take nothing out of the queue any more; all calls end with Postponed, as soon as nothing of them is in hand."""
        with self._lock:
            self._end_all(Postponed("the worker is being closed"))

    # --- the calls' side

    def admit(self, call: CallInHand) -> None:
        """Put a call's windows into the queue."""
        with self._lock:
            if self._end is not None:
                raise self._end
            self._calls.add(call)
            self._feed(call)
            self._tell()

    def withdraw(self, call: CallInHand) -> bool:
        """Take a call out of the queue, unless it has begun; whether it was."""
        with self._lock:
            if not call.begun:
                self._fail(call, Postponed("withdrawn"))
            return not call.begun

    # --- the slots' side

    def _work(self, device: Device, lane: Lane) -> None:
        next_batch = {Lane.MAIN: self._next_batch, Lane.EXPRESS: self._next_small_batch}[lane]
        while (taken := next_batch(device)) is not None:
            begin_s = self._monotonic_s()
            try:
                heard = device.recognizer.hear(self._batch(taken))
                if len(heard) != len(taken):
                    raise ValueError(f"{len(heard)} answers to {len(taken)} passages")  # noqa: TRY301  as any bug of ours
            except OutOfDeviceMemory:
                self._was_too_much(device, taken)
            except DeviceFailed as error:
                self._failed(device, taken, error)
            except RecognizerCrashed as error:
                self._crashed(device, taken, error)
            except Exception as error:  # noqa: BLE001 - a thread that ended so would leave its calls waiting for ever
                self._ended(device, taken, error)
            else:
                self._heard(device, taken, heard, self._monotonic_s() - begin_s)

    def _batch(self, taken: Taken) -> Batch:
        first = taken[0]
        return Batch(
            passages=tuple(each.attempt.passage for each in taken),
            language=first.hearing.language,
            search=self._ladder.search(first.attempt.kind),
            prompt=first.hearing.prompt,
        )

    def _next_batch(self, device: Device) -> Taken | None:
        with self._lock:
            while self._end is None and not device.is_sick:
                now_s = self._monotonic_s()
                share = self._former.share(self._slots(), device.capacity.least_batch)
                batch_size = min(device.batch_size, share) if device.is_idle else device.batch_size
                if taken := self._former.take(now_s, batch_size=batch_size, is_idle=device.is_idle):
                    self._take(device, taken, Lane.MAIN)
                    return taken
                ready_s = self._former.ready_s(now_s, device.batch_size)
                self._for_slots.wait(None if ready_s is None else ready_s - now_s)
            return None

    def _next_small_batch(self, device: Device) -> Taken | None:
        with self._lock:
            while self._end is None and not device.is_sick:
                if taken := self._former.take_small(device.small_s, device.capacity.window_s):
                    self._take(device, taken, Lane.EXPRESS)
                    return taken
                self._for_slots.wait()
            return None

    def _take(self, device: Device, taken: Taken, lane: Lane) -> None:
        device.take(taken, lane)
        for each in taken:
            call, _ = each.owner
            call.taken(is_first=each.attempt.kind is Kind.FIRST)
            self._feed(call)
        self._tell()

    def _heard(self, device: Device, taken: Taken, heard: Sequence[Heard], elapsed_s: float) -> None:
        speech_s = sum(each.attempt.passage.duration_s for each in taken)
        axis_s = sum(each.axis_s for each in taken)
        self._watch.heard(HeardBatch(kind=taken[0].attempt.kind, axis_s=axis_s, slot_s=elapsed_s, heard=heard))
        with self._lock:
            device.heard()
            device.let_go(taken)
            for each, words in zip(taken, heard, strict=True):
                call, course = each.owner
                if call.error is not None:
                    call.let_go()
                    continue
                share_s = elapsed_s * each.attempt.passage.duration_s / speech_s
                for attempt in call.heard(course, each.attempt, words, share_s):
                    self._queue(call, course, attempt, each.tag)
                self._forget_settled(call)
            self._tell()

    def _was_too_much(self, device: Device, taken: Taken) -> None:
        with self._lock:
            if device.was_given_too_much(len(taken)):
                _log.warning("device_memory", device=device.number, batch_size=device.batch_size)
                self._put_back(device, taken)
                return
        self._failed(device, taken, OutOfDeviceMemory("one passage is too much"))

    def _failed(self, device: Device, taken: Taken, error: Exception) -> None:
        with self._lock:
            device.failed()
            _log.error("device_failed", device=device.number, error=str(error), is_sick=device.is_sick)
            self._put_back(device, taken)
            if not self._tell_devices():
                self._end_all(Fatal("no device of the speech engine works: this worker is sick"))

    def _crashed(self, device: Device, taken: Taken, error: RecognizerCrashed) -> None:
        with self._lock:
            lost = device.in_hand if error.takes_all else [taken]
            calls = {each.owner[0] for batch in lost for each in batch}
            crash = EngineCrashed(str(error), calls=frozenset(call.name for call in calls))
            for call in calls:
                self._fail(call, crash)
            self._let_go(device, taken)

    def _ended(self, device: Device, taken: Taken, error: Exception) -> None:
        with self._lock:
            for call in {each.owner[0] for each in taken}:
                self._fail(call, error)
            self._let_go(device, taken)

    # --- under the lock

    def _tell_devices(self) -> int:
        working = sum(not device.is_sick for device in self._devices)
        self._watch.working(working, sick=len(self._devices) - working, slots=self._slots())
        return working

    def _slots(self) -> int:
        return sum(device.capacity.slots for device in self._devices if not device.is_sick)

    def _feed(self, call: CallInHand) -> None:
        if call.error is None:
            for course in call.coming():
                duration_s = course.window.duration_s
                self._queue(call, course, course.first, self._former.tag(call.name, duration_s))

    def _queue(self, call: CallInHand, course: Course, attempt: Attempt, tag: float) -> None:
        self._former.add(
            Waiting(
                owner=(call, course),
                attempt=attempt,
                hearing=call.hearing,
                axis_s=self._ladder.axis_s(attempt),
                call=call.name,
                call_s=call.speech_s,
                tag=tag,
                due_s=self._former.due_s(self._monotonic_s()),
            )
        )

    def _put_back(self, device: Device, taken: Taken) -> None:
        device.let_go(taken)
        for each in taken:
            call, _ = each.owner
            if call.error is None:
                call.put_back(is_first=each.attempt.kind is Kind.FIRST)
                self._former.add(each)
            else:
                call.let_go()
        self._tell()

    def _let_go(self, device: Device, taken: Taken) -> None:
        device.let_go(taken)
        for each in taken:
            each.owner[0].let_go()
        self._tell()

    def _fail(self, call: CallInHand, error: Exception) -> None:
        call.fail(error)
        self._former.withdraw(lambda each: each.owner[0] is not call)
        self._forget(call)

    def _end_all(self, error: Exception) -> None:
        self._end = self._end or error
        for call in list(self._calls):
            self._fail(call, self._end)
        self._tell()

    def _forget_settled(self, call: CallInHand) -> None:
        if call.settled.is_set():
            self._forget(call)

    def _forget(self, call: CallInHand) -> None:
        self._calls.discard(call)
        self._former.forget(call.name)

    def _tell(self) -> None:
        self._watch.queued(len(self._former))
        self._for_slots.notify_all()
