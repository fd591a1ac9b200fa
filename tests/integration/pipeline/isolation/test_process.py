from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import CallFault, Permanent, RazgovorError, Transient
from pipeline.isolation import (
    ChildClosed,
    ChildCrashed,
    ChildFailed,
    ChildProcess,
    ChildTimeout,
    Limits,
)
from pipeline.isolation.errors import OUT_OF_MEMORY_EXIT
from pipeline.testing.waiting import eventually
from tests.integration.pipeline.isolation import work

LIMITS = Limits(memory_bytes=64 * work.MIB, open_files=64)
PATIENCE_S = 60.0

Child = ChildProcess[str, object]


@pytest.fixture(scope="module")
def shared_child() -> Iterator[Child]:
    with ChildProcess(work.faithful, name="faithful", limits=LIMITS, start_timeout_s=PATIENCE_S) as child:
        yield child


def call(child: Child, order: str) -> object:
    return child.call(order, timeout_s=PATIENCE_S)


def test_a_child_serves_requests_in_a_process_of_its_own(shared_child: Child) -> None:
    assert call(shared_child, "echo:слово") == "слово"
    first = call(shared_child, "pid")
    assert first == shared_child.pid != os.getpid()
    assert call(shared_child, "pid") == first


def test_numpy_takes_no_threads_beside_the_one_that_works() -> None:
    with ChildProcess(work.faithful, name="numpy", limits=Limits(), start_timeout_s=PATIENCE_S) as child:
        assert call(child, "threads_of_numpy") == 0


@pytest.mark.parametrize(
    ("order", "exit_code"),
    [
        ("exit:0", 0),
        ("exit:3", 3),
        ("segfault", -signal.SIGSEGV),
        ("take_mib:200", OUT_OF_MEMORY_EXIT),
    ],
)
def test_a_crash_is_told_with_its_exit_code_and_the_next_call_is_served(
    shared_child: Child, order: str, exit_code: int
) -> None:
    before = call(shared_child, "pid")
    with pytest.raises(ChildCrashed) as crash:
        call(shared_child, order)
    assert crash.value.exit_code == exit_code
    assert shared_child.pid is None
    assert call(shared_child, "pid") != before


def test_memory_under_the_limit_is_given(shared_child: Child) -> None:
    assert call(shared_child, "take_mib:16") == 16 * work.MIB


def test_open_files_are_limited_and_none_of_it_is_a_crash(shared_child: Child) -> None:
    with pytest.raises(ChildFailed, match="OSError"):
        call(shared_child, "files:100")
    assert call(shared_child, "echo:on") == "on"


def test_a_hanging_child_is_killed_at_the_limit_and_the_next_call_is_served(shared_child: Child) -> None:
    call(shared_child, "echo:awake")
    with pytest.raises(ChildTimeout) as timeout:
        shared_child.call("hang", timeout_s=0.05)
    assert timeout.value.limit_s == 0.05
    assert shared_child.pid is None
    assert call(shared_child, "echo:again") == "again"


@pytest.mark.parametrize(
    ("order", "kind", "facts"),
    [
        ("fault", CallFault, {"reason": "too_long", "details": {"limit_s": "60", "found_s": "61.5"}}),
        ("transient", Transient, {"args": ("disk is full",), "retry_after_s": 4.5}),
        ("permanent", Permanent, {"reason": "undecodable"}),
    ],
)
def test_our_own_errors_arrive_as_they_were_raised(
    shared_child: Child, order: str, kind: type[RazgovorError], facts: dict[str, object]
) -> None:
    before = call(shared_child, "pid")
    with pytest.raises(kind) as fault:
        call(shared_child, order)
    assert {name: getattr(fault.value, name) for name in facts} == facts
    assert call(shared_child, "pid") == before


@pytest.mark.parametrize("order", ["unknown:secret", "unpicklable"])
def test_an_unforeseen_error_arrives_by_its_type_only(
    shared_child: Child, order: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = call(shared_child, "pid")
    with pytest.raises(ChildFailed) as failure:
        call(shared_child, order)
    assert failure.value.type_name in {"Unpicklable", "AttributeError", "PicklingError"}
    assert "secret" not in str(failure.value)
    assert call(shared_child, "pid") == before
    assert "secret" not in capfd.readouterr().err


def test_a_child_neither_reads_our_input_nor_imports_our_main_nor_leaves_cores(shared_child: Child) -> None:
    assert call(shared_child, "stdin") == b""
    modules = call(shared_child, "modules")
    assert isinstance(modules, list)
    assert "pytest" not in modules
    assert call(shared_child, "cores") == (0, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_of_the_terminal_leave_the_decision_to_the_parent(shared_child: Child, number: signal.Signals) -> None:
    before = call(shared_child, "pid")
    assert isinstance(before, int)
    os.kill(before, number)
    assert call(shared_child, "pid") == before


def test_calls_of_many_threads_each_get_their_own_answer(shared_child: Child) -> None:
    answers: dict[int, object] = {}

    def ask(number: int) -> None:
        answers[number] = call(shared_child, f"echo:{number}")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert answers == {number: str(number) for number in range(16)}


@pytest.mark.slow
def test_processor_seconds_are_limited_per_request_not_per_life() -> None:
    limits = Limits(cpu_s=1)
    with ChildProcess(work.faithful, name="busy", limits=limits, start_timeout_s=PATIENCE_S) as child:
        call(child, "spin_a_while:0.6")
        spent_s = call(child, "spin_a_while:0.9")
        assert isinstance(spent_s, float)
        assert spent_s >= 1.5
        with pytest.raises(ChildTimeout) as timeout:
            call(child, "spin")
        assert timeout.value.limit_s == limits.cpu_s


@pytest.mark.parametrize(
    ("factory", "kind"),
    [
        (work.refusing, CallFault),
        (work.failing, ChildFailed),
        (work.crashing, ChildCrashed),
        (work.hanging, ChildTimeout),
    ],
)
def test_a_factory_that_does_not_return_is_told_by_start(
    factory: Callable[[], Callable[[str], object]], kind: type[RazgovorError]
) -> None:
    timeout_s = 0.3 if kind is ChildTimeout else PATIENCE_S
    child = ChildProcess(factory, name="broken", limits=Limits(), start_timeout_s=timeout_s)
    with pytest.raises(kind):
        child.start()
    assert child.pid is None
    child.close()


def test_a_closed_child_takes_no_more_requests() -> None:
    child = ChildProcess(work.faithful, name="closed", limits=Limits(), start_timeout_s=PATIENCE_S)
    child.start()
    child.close()
    child.close()
    assert child.pid is None
    with pytest.raises(ChildClosed):
        call(child, "echo:late")


def test_closing_ends_the_call_of_another_thread() -> None:
    child = ChildProcess(work.faithful, name="busy", limits=Limits(), start_timeout_s=PATIENCE_S)
    child.start()
    ended: list[RazgovorError] = []

    def ask() -> None:
        try:
            call(child, "hang")
        except ChildClosed as error:
            ended.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    child.close()
    thread.join(PATIENCE_S)
    assert len(ended) == 1


def test_whoever_waits_for_a_busy_child_may_give_up(shared_child: Child) -> None:
    class NotWanted(Exception):
        pass

    asked: list[bool] = []

    def no_longer() -> None:
        asked.append(True)
        raise NotWanted

    with shared_child._turns, pytest.raises(NotWanted):  # somebody else is served
        shared_child.call("echo:late", timeout_s=PATIENCE_S, still_wanted=no_longer)
    assert asked == [True]
    with pytest.raises(NotWanted):  # and once more before it is sent
        shared_child.call("exit:3", timeout_s=PATIENCE_S, still_wanted=no_longer)
    assert call(shared_child, "echo:on") == "on"


def test_a_child_may_be_replaced_after_what_nobody_foresaw() -> None:
    child: Child = ChildProcess(
        work.faithful, name="fresh", limits=LIMITS, start_timeout_s=PATIENCE_S, outlives_failures=False
    )
    first = call(child, "pid")
    with pytest.raises(ChildFailed):
        call(child, "unknown:secret")
    assert call(child, "pid") != first
    child.close()


def test_an_interrupted_wait_never_gives_its_answer_to_the_next_request(shared_child: Child) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(_number: int, _frame: object) -> None:
        raise Interrupted

    call(shared_child, "echo:awake")
    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Interrupted):
            call(shared_child, "hang")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert call(shared_child, "echo:mine") == "mine"


@pytest.mark.parametrize("error", [ChildCrashed(-9), ChildTimeout(2.5), ChildFailed("KeyError"), ChildClosed()])
def test_errors_of_children_travel_through_pipes_too(error: RazgovorError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(again), again.args, str(again)) == (type(error), error.args, str(error))


Several = Callable[..., "ChildProcess[str, object]"]


@pytest.fixture
def several() -> Iterator[Several]:
    """Makes children that serve three requests at once."""
    children: list[Child] = []

    def make(**options: bool) -> Child:
        children.append(
            ChildProcess(
                work.faithful, name="several", limits=LIMITS, start_timeout_s=PATIENCE_S, concurrency=3, **options
            )
        )
        return children[-1]

    yield make
    for child in children:
        child.close()


def test_requests_side_by_side_are_answered_in_whatever_order_they_end(several: Several, tmp_path: Path) -> None:
    child, first, second = several(), tmp_path / "first", tmp_path / "second"
    with ThreadPoolExecutor(3) as threads:
        waiting = [threads.submit(call, child, f"await:{file}") for file in (first, second)]
        assert call(child, "echo:overtakes") == "overtakes"
        second.touch()
        assert waiting[1].result(PATIENCE_S) == str(second)
        assert not waiting[0].done()
        first.touch()
        assert waiting[0].result(PATIENCE_S) == str(first)


def test_no_more_requests_are_in_hand_than_the_child_serves(several: Several, tmp_path: Path) -> None:
    child, go = several(), tmp_path / "go"
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(call, child, f"await:{go}") for _ in range(3)]
        eventually(lambda: call_is_refused(child))
        go.touch()
        assert [each.result(PATIENCE_S) for each in waiting] == [str(go)] * 3


def call_is_refused(child: Child) -> bool:
    class NotWanted(Exception):
        pass

    waited: list[bool] = []

    def once() -> None:
        if waited:
            raise NotWanted
        waited.append(True)

    try:
        child.call("echo:", timeout_s=PATIENCE_S, still_wanted=once)
    except NotWanted:
        return True
    return False


def test_a_crash_ends_all_that_is_in_hand_and_the_next_request_is_served(several: Several, tmp_path: Path) -> None:
    child = several()
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(call, child, f"await:{tmp_path / 'never'}") for _ in range(2)]
        with pytest.raises(ChildCrashed):
            call(child, "segfault")
        for each in waiting:
            with pytest.raises(ChildCrashed) as crash:
                each.result(PATIENCE_S)
            assert crash.value.exit_code == -signal.SIGSEGV
    assert call(child, "echo:on") == "on"


def test_what_nobody_foresaw_costs_its_own_request_and_the_others_end_before_the_child(
    several: Several, tmp_path: Path
) -> None:
    child, go = several(outlives_failures=False), tmp_path / "go"
    first = call(child, "pid")
    with ThreadPoolExecutor(2) as threads:
        waiting = threads.submit(call, child, f"await:{go}")
        with pytest.raises(ChildFailed):
            call(child, "unknown:secret")
        after = threads.submit(call, child, "pid")
        assert not waiting.done()
        go.touch()
        assert waiting.result(PATIENCE_S) == str(go)
        assert after.result(PATIENCE_S) != first


def test_processor_seconds_cannot_be_counted_for_requests_side_by_side() -> None:
    with pytest.raises(ValueError, match="one at a time"):
        ChildProcess(work.faithful, name="", limits=Limits(cpu_s=1), start_timeout_s=1, concurrency=2)
