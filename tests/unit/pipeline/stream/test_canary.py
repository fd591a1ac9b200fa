from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.errors import Fatal, Transient, Unavailable
from pipeline.stream.canary import Canary
from pipeline.stream.memory import MemoryBroker
from pipeline.testing.waiting import eventually
from tests.unit.pipeline.stream.house import SickStore

KEY = "control/canary-g"


class SlowStore(SickStore):
    """Holds every look up at its first put until the test lets it go on."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = 0
        self.gate = threading.Semaphore(0)

    def put(self, key: str, data: bytes, *, media_type: str) -> None:
        self.entered += 1
        assert self.gate.acquire(timeout=20)
        super().put(key, data, media_type=media_type)


def test_a_living_canary_says_nothing_and_leaves_one_object() -> None:
    store = SickStore()
    Canary(store, MemoryBroker().producer(), group="g").check()
    assert list(store.objects) == [KEY]


@pytest.mark.parametrize("at", range(1, 33))
def test_one_failure_in_many_rounds_is_enough(at: int) -> None:
    store, asked = SickStore(), [0]

    def fails(_key: str) -> bool:
        asked[0] += 1
        return asked[0] == at

    store.fails = fails
    with pytest.raises(Unavailable, match="canary"):
        Canary(store, MemoryBroker().producer(), group="g").check()


def test_a_broker_without_answer_is_enough_too() -> None:
    broker = MemoryBroker()
    broker.down = True
    with pytest.raises(Unavailable, match="canary"):
        Canary(SickStore(), broker.producer(), group="g").check()


def test_a_store_that_shows_late_what_was_put_does_not_work() -> None:
    class Late(SickStore):
        def put(self, key: str, data: bytes, *, media_type: str) -> None:
            pass

    with pytest.raises(Unavailable, match="BlobNotFound"):
        Canary(Late(), MemoryBroker().producer(), group="g").check()


def test_a_refusal_is_fatal() -> None:
    class Refusing(SickStore):
        def put(self, key: str, data: bytes, *, media_type: str) -> None:  # noqa: ARG002  the port's
            raise Fatal("denied")

    with pytest.raises(Fatal):
        Canary(Refusing(), MemoryBroker().producer(), group="g").check()


def test_a_good_answer_is_never_older_than_the_question() -> None:
    store = SickStore()
    canary = Canary(store, MemoryBroker().producer(), group="g")
    canary.check()
    store.fails = lambda _key: True
    with pytest.raises(Transient):
        canary.check()
    store.fails = lambda _key: False
    canary.check()


def test_a_crowd_shares_one_look_that_began_after_they_asked() -> None:
    store = SlowStore()
    canary = Canary(store, MemoryBroker().producer(), group="g")
    with ThreadPoolExecutor(17) as threads:
        first = threads.submit(canary.check)
        eventually(lambda: store.entered == 1)
        crowd = [threads.submit(canary.check) for _ in range(16)]
        eventually(lambda: threads._work_queue.qsize() == 0)
        store.gate.release(1000)
        for future in (first, *crowd):
            future.result(20)
    assert canary._begun <= 3
