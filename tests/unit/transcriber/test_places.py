from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from pipeline.errors import Postponed
from pipeline.testing.waiting import eventually
from services.transcriber.adapters.places import Places


def yes() -> None:
    """Waits on."""


class Guests:
    """Those who come to one `Places`, each on a thread of its own, and who of them is inside."""

    def __init__(self, size: int) -> None:
        self.places = Places(size)
        self.came: list[str] = []
        self._leave: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []

    def send(self, name: str, *, priority: str = "normal", long: bool = False) -> None:
        """Have one come, and wait until it stands in the queue or is inside."""
        waits = threading.Event()
        self._leave[name] = threading.Event()

        def visit() -> None:
            with self.places.taken(priority=priority, long=long, still_wanted=waits.set):
                self.came.append(name)
                waits.set()
                self._leave[name].wait(20)

        thread = threading.Thread(target=visit)
        self._threads.append(thread)
        thread.start()
        assert waits.wait(20)

    def leave(self, name: str) -> None:
        self._leave[name].set()

    def wait_for(self, name: str) -> None:
        eventually(lambda: name in self.came)

    def end(self) -> None:
        for event in self._leave.values():
            event.set()
        for thread in self._threads:
            thread.join(20)


@contextmanager
def guests(size: int) -> Iterator[Guests]:
    with ExitStack() as stack:
        found = Guests(size)
        stack.callback(found.end)
        yield found


def test_long_recordings_leave_a_place_to_short_ones() -> None:
    with guests(3) as here:
        for name in ("long 1", "long 2", "long 3"):
            here.send(name, long=True)
        assert here.came == ["long 1", "long 2"]
        here.send("short")
        assert here.came == ["long 1", "long 2", "short"]
        here.leave("short")
        here.send("short again")
        assert here.came[-1] == "short again"
        here.leave("long 1")
        here.wait_for("long 3")


def test_short_recordings_may_have_all_places() -> None:
    with guests(2) as here:
        here.send("a")
        here.send("b")
        assert here.came == ["a", "b"]


def test_one_place_is_everybodys() -> None:
    with guests(1) as here:
        here.send("long", long=True)
        here.send("short")
        assert here.came == ["long"]
        here.leave("long")
        here.wait_for("short")


def test_the_urgent_go_first_and_equals_in_the_order_of_coming() -> None:
    with guests(1) as here:
        here.send("first")
        here.send("bulk", priority="bulk")
        here.send("normal")
        here.send("of a newer release", priority="soon")
        here.send("interactive", priority="interactive")
        in_order = ["first", "interactive", "normal", "of a newer release", "bulk"]
        for name in in_order:
            here.wait_for(name)
            here.leave(name)
        assert here.came == in_order


def test_who_is_not_wanted_any_more_gives_up_its_turn() -> None:
    def no() -> None:
        raise Postponed("it is another's now")

    with guests(1) as here:
        here.send("first")
        with pytest.raises(Postponed), here.places.taken(priority="interactive", long=False, still_wanted=no):
            pytest.fail("went in")
        here.send("second")
        here.leave("first")
        here.wait_for("second")
        assert here.came == ["first", "second"]
