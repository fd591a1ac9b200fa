"""The engine over fake recognizers: who is heard when, and what becomes of calls when a recognizer fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial

import pytest

from pipeline.errors import CallFault, Fatal, Postponed
from pipeline.testing.waiting import eventually
from services.transcriber.batching import BatchingEngine, BatchingRules, HeardBatch
from services.transcriber.batching.courses import Kind
from services.transcriber.domain.hearing import Batch, Capacity, Heard, Hearing
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.fakes import FakeRecognizer, numbered_word, window
from services.transcriber.ports import DeviceFailed, EngineCrashed, OutOfDeviceMemory, Recognizer, RecognizerCrashed

RUSSIAN = Hearing(language="ru")
PATIENCE_S = 20.0
PAIRS = Capacity(slots=1, batch_size=2)


class Gate:
    """Holds every batch until it is let through."""

    def __init__(self) -> None:
        self.held: list[Batch] = []
        self._let = threading.Semaphore(0)

    def __call__(self, batch: Batch) -> None:
        self.held.append(batch)
        assert self._let.acquire(timeout=PATIENCE_S)

    def let(self, count: int = 1) -> None:
        self._let.release(count)

    def calls(self) -> list[list[str]]:
        return [[passage.window.call for passage in batch.passages] for batch in self.held]


class Figures:
    """What the engine told."""

    def __init__(self) -> None:
        self.most_queued = 0
        self.working_devices: list[int] = []
        self.sick_devices: list[int] = []
        self.batches: list[HeardBatch] = []

    def queued(self, passages: int) -> None:
        self.most_queued = max(self.most_queued, passages)

    def working(self, devices: int, *, sick: int, slots: int) -> None:
        assert slots >= devices
        self.working_devices.append(devices)
        self.sick_devices.append(sick)

    def heard(self, batch: HeardBatch) -> None:
        self.batches.append(batch)


def call(name: str, windows: int = 1, seconds: float = 5.0) -> list[Window]:
    return [window(0, (0.0, seconds), index=index, call=name) for index in range(windows)]


@contextmanager
def running(*recognizers: Recognizer, threads: int = 8) -> Iterator[Callers]:
    with ThreadPoolExecutor(threads) as pool:
        figures = Figures()
        engine = BatchingEngine(recognizers, BatchingRules(linger_s=60.0), watch=figures)
        with closing(engine):
            yield Callers(engine, pool, figures)


class Callers:
    """Calls side by side."""

    def __init__(self, engine: BatchingEngine, pool: ThreadPoolExecutor, figures: Figures) -> None:
        self.engine = engine
        self.figures = figures
        self._pool = pool

    def begin(self, windows: Sequence[Window], hearing: Hearing = RUSSIAN) -> Future[list[WindowWords]]:
        return self._pool.submit(self.engine.transcribe, windows, hearing)

    def words(self, windows: Sequence[Window]) -> list[WindowWords]:
        return self.begin(windows).result(PATIENCE_S)

    def await_queued(self, count: int) -> None:
        eventually(lambda: self.figures.most_queued >= count)


def test_windows_of_calls_that_wait_are_heard_together() -> None:
    gate = Gate()
    with running(FakeRecognizer(Capacity(batch_size=4), before=gate)) as callers:
        first = callers.begin(call("first"))
        eventually(lambda: len(gate.held) == 1)
        others = [callers.begin(call(name)) for name in ("a", "b", "c")]
        callers.await_queued(3)
        gate.let(2)
        assert all(len(each.result(PATIENCE_S)) == 1 for each in [first, *others])

    assert gate.calls()[0] == ["first"]
    assert sorted(gate.calls()[1]) == ["a", "b", "c"]


def test_each_window_gets_its_own_words_in_the_order_asked() -> None:
    asked = [window(channel, (0.0, 1.0 + channel), index=channel, call="a") for channel in range(7)]
    with running(FakeRecognizer(Capacity(slots=2, batch_size=3))) as callers:
        heard = callers.words(asked)

    assert [len(each.words) for each in heard] == [2, 4, 6, 8, 10, 12, 14]
    assert [each.words[0].text for each in heard] == [numbered_word("ru", channel, 0) for channel in range(7)]


def test_a_short_call_is_heard_next_however_long_the_other_is() -> None:
    gate = Gate()
    with running(FakeRecognizer(PAIRS, before=gate)) as callers:
        long = callers.begin(call("long", windows=400, seconds=20.0))
        eventually(lambda: len(gate.held) == 1)
        for count in range(1, 6):
            name = f"short-{count}"
            short = callers.begin(call(name, windows=2))
            eventually(partial(waits, callers, name))
            gate.let(2)
            short.result(PATIENCE_S)
        gate.let(400)
        long.result(PATIENCE_S)

    order = [name for batch in gate.calls() for name in batch]
    for count in range(1, 6):
        assert order.index(f"short-{count}") <= 2 + 6 * count


def test_a_small_call_does_not_even_wait_for_the_batch_of_a_long_one() -> None:
    gate = Gate()
    with running(FakeRecognizer(Capacity(batch_size=2, express=1), before=gate)) as callers:
        long = callers.begin(call("long", windows=11))
        eventually(lambda: len(gate.held) == 1)
        neither = callers.begin(call("neither", windows=2))
        eventually(partial(waits, callers, "neither"))
        small = callers.begin(call("small"))
        eventually(lambda: len(gate.held) == 2)
        assert gate.calls() == [["long"] * 2, ["small"]]

        gate.let(100)
        assert len(small.result(PATIENCE_S)) == 1
        assert len(neither.result(PATIENCE_S)) == 2
        assert len(long.result(PATIENCE_S)) == 11


def test_a_small_call_waits_for_its_slot_where_there_is_one() -> None:
    gate = Gate()
    with running(FakeRecognizer(Capacity(slots=2, batch_size=1, express=1), before=gate)) as callers:
        small = [callers.begin(call(name)) for name in "abc"]
        eventually(lambda: len(gate.held) == 2)
        callers.await_queued(1)
        assert len(gate.held) == 2

        gate.let(3)
        assert all(len(each.result(PATIENCE_S)) == 1 for each in small)


def test_what_goes_beside_the_slots_is_lost_with_the_recognizer_as_what_they_hold() -> None:
    gate = Gate()
    errors = [RecognizerCrashed("gone"), None]
    with running(FakeRecognizer(Capacity(batch_size=1, express=1), before=gate, errors=errors)) as callers:
        long = callers.begin(call("long", windows=11))
        eventually(lambda: len(gate.held) == 1)
        small = callers.begin(call("small"))
        eventually(lambda: len(gate.held) == 2)
        gate.let(1)
        eventually(lambda: long.done() or small.done())  # it has crashed; what the other one brings comes too late
        gate.let(1)

        for each in (long, small):
            with pytest.raises(EngineCrashed):
                each.result(PATIENCE_S)


def waits(callers: Callers, name: str) -> bool:
    dispatcher = callers.engine._dispatcher
    assert dispatcher is not None
    with dispatcher._lock:
        return any(each.name == name for each in dispatcher._calls)


def test_a_call_of_hours_stands_in_the_queue_with_a_few_windows_only() -> None:
    with running(FakeRecognizer(PAIRS)) as callers:
        assert len(callers.words(call("long", windows=1000))) == 1000

    assert callers.figures.most_queued <= 2 * PAIRS.slots * PAIRS.batch_size


def test_an_urgent_call_goes_first() -> None:
    gate = Gate()
    with running(FakeRecognizer(Capacity(), before=gate)) as callers:
        begun = [callers.begin(call("first"))]
        eventually(lambda: len(gate.held) == 1)
        for count, priority in enumerate(("bulk", "normal", "interactive"), 1):
            begun.append(callers.begin(call(priority), Hearing(language="ru", priority=priority)))
            callers.await_queued(count)
        gate.let(4)
        for each in begun:
            each.result(PATIENCE_S)

    assert gate.calls() == [["first"], ["interactive"], ["normal"], ["bulk"]]


def test_loops_are_heard_again_among_themselves_and_hold_up_no_batch() -> None:
    recognizer = FakeRecognizer(Capacity(batch_size=4), loops_from_s=8.0)
    asked = [window(0, (0.0, seconds), index=index, call="a") for index, seconds in enumerate((9.0, 2.0, 10.0, 3.0))]
    with running(recognizer) as callers:
        heard = callers.words(asked)

    assert [each.retries for each in heard] == [2, 0, 2, 0]
    assert [len(each.words) for each in heard] == [18, 4, 20, 6]
    assert all([word.start_s for word in each.words] == sorted(word.start_s for word in each.words) for each in heard)
    assert [len(batch.passages) for batch in recognizer.batches] == [4, 4]
    assert [(batch.kind, batch.axis_s) for batch in callers.figures.batches] == [
        (Kind.FIRST, 120.0),
        (Kind.HALF, 120.0),
    ]


def test_a_language_that_it_does_not_understand_is_the_calls_fault() -> None:
    with running(FakeRecognizer()) as callers, pytest.raises(CallFault) as fault:
        callers.engine.transcribe(call("a"), Hearing(language="tlh"))

    assert (fault.value.reason, fault.value.details) == ("unsupported_language", {"found": "tlh"})


def test_a_recognizer_that_dies_takes_the_calls_that_it_had_in_hand_and_no_others() -> None:
    gate = Gate()
    died = RecognizerCrashed("it died")
    recognizer = FakeRecognizer(PAIRS, errors=[died], before=gate)
    with running(recognizer) as callers:
        a, b = callers.begin(call("a", 1)), None
        eventually(lambda: len(gate.held) == 1)
        b = callers.begin(call("b", 3))
        callers.await_queued(3)
        gate.let(9)
        with pytest.raises(EngineCrashed) as crash:
            a.result(PATIENCE_S)
        assert len(b.result(PATIENCE_S)) == 3

    assert crash.value.calls == {"a"}


def test_all_batches_in_hand_are_lost_with_it_and_the_rest_of_their_calls_is_withdrawn() -> None:
    gate = Gate()
    recognizer = FakeRecognizer(
        Capacity(slots=2, batch_size=1),
        errors=[RecognizerCrashed("it died"), RecognizerCrashed("it died")],
        before=gate,
    )
    with running(recognizer) as callers:
        a = callers.begin(call("a", 1))
        eventually(lambda: len(gate.held) == 1)
        b = callers.begin(call("b", 50))
        eventually(lambda: len(gate.held) == 2)
        gate.let(9)
        crashes = [ended(each) for each in (a, b)]

    assert [crash.calls for crash in crashes if isinstance(crash, EngineCrashed)] == [{"a", "b"}] * 2
    assert crashes[0] is crashes[1]
    assert len(gate.held) == 2


def ended(begun: Future[list[WindowWords]]) -> BaseException | None:
    return begun.exception(PATIENCE_S)


def test_what_nobody_foresaw_costs_its_own_batch() -> None:
    gate = Gate()
    failed = RecognizerCrashed("it raised KeyError", takes_all=False)
    recognizer = FakeRecognizer(Capacity(slots=2, batch_size=1), errors=[failed], before=gate)
    with running(recognizer) as callers:
        a = callers.begin(call("a"))
        eventually(lambda: len(gate.held) == 1)
        b = callers.begin(call("b"))
        eventually(lambda: len(gate.held) == 2)
        gate.let(2)
        assert isinstance(ended(a), EngineCrashed)
        assert len(b.result(PATIENCE_S)) == 1


def test_a_bug_of_ours_reaches_the_call_and_the_slot_lives_on() -> None:
    with running(FakeRecognizer(errors=[ZeroDivisionError()])) as callers:
        assert isinstance(ended(callers.begin(call("a"))), ZeroDivisionError)
        assert len(callers.words(call("b"))) == 1


def test_a_recognizer_that_answers_too_little_is_a_bug_and_leaves_nobody_waiting() -> None:
    class Silent(FakeRecognizer):
        def hear(self, batch: Batch) -> list[Heard]:
            return super().hear(batch)[1:]

    with running(Silent()) as callers:
        assert isinstance(ended(callers.begin(call("a"))), ValueError)


def test_memory_that_does_not_suffice_is_answered_by_smaller_batches_from_then_on() -> None:
    recognizer = FakeRecognizer(Capacity(batch_size=8), errors=[OutOfDeviceMemory("8"), OutOfDeviceMemory("4")])
    with running(recognizer) as callers:
        assert len(callers.words(call("a", 8))) == 8
        assert len(callers.words(call("b", 8))) == 8

    assert [len(batch.passages) for batch in recognizer.batches] == [8, 4] + [2] * 8
    assert callers.figures.working_devices == [1]


def test_a_device_that_fails_now_and_then_burns_nothing() -> None:
    failures = [DeviceFailed("lost"), DeviceFailed("lost"), None]
    with running(FakeRecognizer(PAIRS, errors=failures * 3)) as callers:
        assert len(callers.words(call("a", 6))) == 6


def test_a_device_that_fails_three_times_in_a_row_takes_the_worker_out_and_burns_nothing() -> None:
    recognizer = FakeRecognizer(PAIRS, errors=[DeviceFailed("lost")] * 9)
    with running(recognizer) as callers:
        assert isinstance(ended(callers.begin(call("a", 6))), Fatal)
        with pytest.raises(Fatal, match="sick"):
            callers.engine.transcribe(call("b"), RUSSIAN)

    assert len(recognizer.batches) == 3
    assert callers.figures.working_devices[-1] == 0


def test_one_passage_that_is_too_much_for_the_device_is_a_failure_of_the_device() -> None:
    recognizer = FakeRecognizer(Capacity(), errors=[OutOfDeviceMemory("1")] * 3)
    with running(recognizer) as callers:
        assert isinstance(ended(callers.begin(call("a"))), Fatal)


def test_a_sick_device_leaves_its_work_to_the_others() -> None:
    sick = FakeRecognizer(PAIRS, errors=[DeviceFailed("lost")] * 99)
    healthy = FakeRecognizer(PAIRS)
    with running(sick, healthy) as callers:
        eventually(lambda: len(callers.words(call("a", 9))) == 9 and len(sick.batches) == 3)
        assert len(callers.words(call("b", 9))) == 9

    assert len(sick.batches) == 3
    assert (callers.figures.working_devices[0], callers.figures.sick_devices[0]) == (2, 0)
    assert (callers.figures.working_devices[-1], callers.figures.sick_devices[-1]) == (1, 1)


def test_a_call_that_is_not_wanted_any_more_is_withdrawn_while_it_waits_and_not_once_it_has_begun() -> None:
    gate = Gate()
    not_wanted = threading.Event()

    def still_wanted(_call: str) -> None:
        if not_wanted.is_set():
            raise Postponed("the call is another's now")

    recognizer = FakeRecognizer(Capacity(), before=gate)
    engine = BatchingEngine([recognizer], BatchingRules(), still_wanted=still_wanted)
    with closing(engine), ThreadPoolExecutor(2) as pool:
        begun = pool.submit(engine.transcribe, call("begun"), RUSSIAN)
        eventually(lambda: len(gate.held) == 1)
        waiting = pool.submit(engine.transcribe, call("waiting"), RUSSIAN)
        not_wanted.set()
        with pytest.raises(Postponed, match="another's"):
            waiting.result(PATIENCE_S)
        gate.let()
        assert len(begun.result(PATIENCE_S)) == 1

    assert gate.calls() == [["begun"]]


def test_a_closed_engine_waits_for_what_is_in_hand_and_takes_no_more() -> None:
    gate = Gate()
    with running(FakeRecognizer(Capacity(), before=gate)) as callers:
        begun, waiting = callers.begin(call("begun")), None
        eventually(lambda: len(gate.held) == 1)
        waiting = callers.begin(call("waiting"))
        callers.await_queued(1)
        callers.engine.close()
        assert isinstance(ended(waiting), Postponed)
        assert not begun.done()  # its files are being read
        gate.let()
        assert isinstance(ended(begun), Postponed)
        assert isinstance(ended(callers.begin(call("late"))), Postponed)


def test_what_it_is_stands_beside_what_others_add() -> None:
    engine = BatchingEngine([FakeRecognizer()], BatchingRules(), {"window_s": 28.0})

    assert engine.facts.parameters == {"beam_size": 1, "window_s": 28.0}
