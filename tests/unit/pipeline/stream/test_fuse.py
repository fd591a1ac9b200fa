from __future__ import annotations

import json
import threading
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts import layout
from pipeline.contracts.events import TranscriptReady
from pipeline.errors import CallFault, Transient, Unavailable
from pipeline.outcome import Outcome, PutObject
from pipeline.stream import wire
from pipeline.stream.fuse import Fuse, FuseLimits
from pipeline.stream.ports import Record
from pipeline.testing import samples
from tests.unit.pipeline.stream.house import GROUP, House, SickStore

KEY = layout.fuse_key(GROUP)


def fuse_in(store: MemoryStore, told: list[str] | None = None) -> Fuse:
    tell = (lambda _state: None) if told is None else told.append
    return Fuse(store, group=GROUP, clock=lambda: samples.ACCEPTED_AT, tell=tell)


def put_aside(fuse: Fuse, reason: str = "undecodable") -> bool:
    try:
        fuse.require_room()
    except Unavailable:
        return False
    fuse.put_aside(reason)
    return True


def test_twenty_in_a_row_go_and_the_next_one_is_held() -> None:
    store, told = MemoryStore(), list[str]()
    fuse = fuse_in(store, told)
    assert [put_aside(fuse) for _ in range(25)] == [True] * 20 + [False] * 5
    assert (fuse.blown, told) == (True, ["fused"])
    assert json.loads(store.read(KEY)) == {
        "group": GROUP,
        "blown_at": samples.ACCEPTED_AT.isoformat(),
        "put_aside": 20,
        "of_the_last": 20,
        "reasons": {"undecodable": 20},
    }


def test_a_tenth_of_the_last_two_hundred_may_go_and_more_may_not() -> None:
    fuse = fuse_in(MemoryStore())
    for _ in range(10):  # every tenth, for as long as it takes
        for number in range(100):
            if number % 10 == 9:
                assert put_aside(fuse)
            else:
                fuse.passed()
    assert not put_aside(fuse)
    assert fuse.blown


@given(st.lists(st.booleans(), max_size=600))
def test_at_most_twenty_of_any_two_hundred_ever_go(records: list[bool]) -> None:
    fuse, went = fuse_in(MemoryStore()), list[bool]()
    for is_bad in records:
        if fuse.blown:
            break
        if is_bad:
            if put_aside(fuse):
                went.append(True)
        else:
            fuse.passed()
            went.append(False)
    for start in range(len(went)):
        assert sum(went[start : start + 200]) <= 20
    if fuse.blown:  # and it blew for a reason
        assert sum(went[-199:]) == 20


def test_a_process_that_starts_while_the_marker_is_there_takes_nothing() -> None:
    store, told = MemoryStore(), list[str]()
    store.put(KEY, b"{}", media_type="application/json")
    fuse = fuse_in(store, told)
    fuse.look()
    with pytest.raises(Unavailable):
        fuse.check()
    assert told == ["fused"]
    assert not put_aside(fuse)


def test_replicas_see_the_marker_and_go_on_when_it_is_removed() -> None:
    store = MemoryStore()
    told: list[list[str]] = [[], []]
    replicas = [fuse_in(store, each) for each in told]
    for fuse in replicas:
        fuse.look()
    while put_aside(replicas[0]):
        pass
    for fuse in replicas:
        fuse.look()
    assert [fuse.blown for fuse in replicas] == [True, True]
    store.delete(KEY)
    for fuse in replicas:
        fuse.look()
        fuse.check()
    assert told == [["fused", "ready"]] * 2
    assert [put_aside(replicas[0]) for _ in range(21)] == [True] * 20 + [False]


def test_a_store_that_is_away_changes_nothing_and_gets_the_marker_later() -> None:
    store = SickStore()
    fuse = fuse_in(store)
    store.fails = lambda _key: True
    while put_aside(fuse):
        pass
    assert (fuse.blown, store.objects) == (True, {})
    fuse.look()
    assert (fuse.blown, store.objects) == (True, {})
    store.fails = lambda _key: False
    fuse.look()
    assert (fuse.blown, list(store.objects)) == (True, [KEY])


def test_a_look_that_began_before_it_blew_does_not_mend_it() -> None:
    class Asked(MemoryStore):
        def stat(self, key: str) -> None:
            while put_aside(fuse):
                pass
            self.objects.pop(key, None)  # as it was when asked

    fuse = fuse_in(Asked())
    fuse.look()
    assert fuse.blown


def test_watching_ends_with_the_service() -> None:
    stop = threading.Event()
    stop.set()
    fuse_in(MemoryStore()).watch(stop)


def never(_event: TranscriptReady, _received_at: datetime) -> Outcome[PutObject]:
    raise AssertionError


def test_a_wrong_deployment_leaks_twenty_records_and_none_more_at_a_restart() -> None:
    house = House(never)
    messages = [house.lay(Record("transcript.ready", b"k%d" % number, b"junk")) for number in range(60)]
    for message in messages[:20]:
        house.take(message)
    for message in messages[20:]:
        with pytest.raises(Unavailable):
            house.take(message)
    assert len(house.put_aside()) == 20
    restarted = House(never)
    restarted.store.objects = house.store.objects
    restarted.guards.fuse.look()
    with pytest.raises(Unavailable):
        restarted.take(messages[20])
    assert restarted.put_aside() == []


def test_known_faults_of_calls_never_count() -> None:
    def handler(_event: TranscriptReady, _received_at: datetime) -> Outcome[PutObject]:
        raise CallFault("no_audio")

    house = House(handler)
    for number in range(300):
        house.carry(wire.encode(samples.transcript_ready(f"job-{number}")))
    assert not house.guards.fuse.blown
    assert len(house.published()) == 300


def test_good_records_between_bad_ones_count() -> None:
    def handler(_event: TranscriptReady, _received_at: datetime) -> Outcome[PutObject]:
        return Outcome()

    house = House(handler, limits=FuseLimits(aside_max=2, window=4))
    good = wire.encode(samples.transcript_ready())
    for _ in range(10):
        house.carry(good)
        house.carry(good)
        house.carry(Record("transcript.ready", b"k", b"junk"))
    house.carry(Record("transcript.ready", b"k", b"junk"))
    with pytest.raises(Transient):
        house.carry(Record("transcript.ready", b"k", b"junk"))
