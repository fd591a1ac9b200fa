from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pipeline.errors import Postponed
from pipeline.testing.waiting import eventually
from services.transcriber.intake.gate import Gate


def wanted() -> None:
    """Nobody gives up."""


@contextmanager
def entering(gate: Gate, *, alone: bool) -> Iterator[threading.Event]:
    """Somebody who wants in, in a thread of his own; the event tells that he is."""
    inside = threading.Event()

    def go_in() -> None:
        gate.enter(alone=alone, still_wanted=wanted)
        inside.set()

    thread = threading.Thread(target=go_in)
    thread.start()
    yield inside
    thread.join(10)
    assert not thread.is_alive()


def test_any_number_go_in_together() -> None:
    gate = Gate()
    for _ in range(3):
        gate.enter(alone=False, still_wanted=wanted)


def test_who_is_to_be_alone_waits_until_the_last_has_left() -> None:
    gate = Gate()
    gate.enter(alone=False, still_wanted=wanted)
    gate.enter(alone=False, still_wanted=wanted)
    with entering(gate, alone=True) as inside:
        gate.leave(alone=False)
        assert not inside.is_set()
        gate.leave(alone=False)
        assert inside.wait(10)


def test_nobody_goes_in_while_one_is_alone_or_waits_to_be() -> None:
    gate = Gate()
    gate.enter(alone=False, still_wanted=wanted)
    with entering(gate, alone=True) as alone:
        eventually(lambda: gate._want_alone == 1)
        with entering(gate, alone=False) as other:
            gate.leave(alone=False)
            assert alone.wait(10)
            assert not other.is_set()
            gate.leave(alone=True)
            assert other.wait(10)


@pytest.mark.parametrize("alone", [True, False])
def test_who_gives_up_is_in_nobodys_way(*, alone: bool) -> None:
    gate = Gate()
    gate.enter(alone=True, still_wanted=wanted)
    asked: list[bool] = []

    def until_asked_again() -> None:
        asked.append(True)
        if len(asked) > 1:
            raise Postponed("the worker drains")

    with pytest.raises(Postponed):
        gate.enter(alone=alone, still_wanted=until_asked_again)
    gate.leave(alone=True)
    gate.enter(alone=False, still_wanted=wanted)
