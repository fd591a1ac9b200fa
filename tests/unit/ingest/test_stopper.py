"""The stopper: first the marker, then the event, until the ledger shows it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts import layout
from pipeline.contracts.events import JobStatus
from pipeline.errors import Transient
from pipeline.stream import wire
from pipeline.stream.memory import MemoryBroker
from pipeline.testing.waiting import eventually
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.adapters.memory_stops import MemoryStops
from services.ingest.jobs import Outcome
from services.ingest.stopper import Stopper
from tests.unit.ingest.relay_world import submission


class SickStore(MemoryStore):
    broken = False

    def put(self, key: str, data: bytes, *, media_type: str) -> None:
        if self.broken:
            raise Transient("store: 500")
        super().put(key, data, media_type=media_type)


class World:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.submissions = MemorySubmissions()
        self.stops = MemoryStops(self.submissions, lambda: self.now)
        self.store = SickStore()
        self.broker = MemoryBroker(partitions=1)
        self.stopper = Stopper(self.stops, self.store, self.broker.producer(), poll_s=0.01)
        self.submissions.submit(submission("a"), None)

    def told(self) -> list[str]:
        events = [wire.decode(message) for message in self.broker.messages("job.status")]
        return [f"{event.job_id} {event.run} {event.state}" for event in events if isinstance(event, JobStatus)]


def test_the_marker_lies_there_before_the_event_is_told() -> None:
    world = World()
    world.stops.cancel("acme", "a")
    world.broker.down = True
    with pytest.raises(Transient):
        world.stopper.step()
    assert world.store.objects == {layout.called_off_key("a", 1): b"canceled"}
    world.broker.down = False
    assert (world.stopper.step(), world.told()) == (1, ["a 1 canceled"])
    assert (world.stopper.step(), world.told()) == (0, ["a 1 canceled"])


def test_while_the_store_is_away_nothing_is_told() -> None:
    world = World()
    world.stops.erase("acme", "a")
    world.store.broken = True
    with pytest.raises(Transient):
        world.stopper.step()
    assert world.told() == []
    world.store.broken = False
    world.stopper.step()
    assert world.told() == ["a 1 erased"]


def test_what_a_wiped_log_lost_is_told_again_until_the_ledger_shows_it() -> None:
    world = World()
    world.stops.cancel("acme", "a")
    world.stopper.step()
    world.broker.wipe()
    world.now += timedelta(seconds=31)
    assert (world.stopper.step(), world.told()) == (1, ["a 1 canceled"])
    world.submissions.outcomes["a"] = Outcome(run=1, state="canceled")
    world.now += timedelta(days=1)
    assert world.stopper.step() == 0


def test_it_goes_on_after_an_outage_until_it_is_told_to_stop() -> None:
    world = World()
    world.store.broken = True
    stop = threading.Event()
    thread = threading.Thread(target=world.stopper.run, args=(stop,))
    thread.start()
    world.stops.cancel("acme", "a")
    world.stopper.wake()
    world.store.broken = False
    eventually(lambda: world.told() == ["a 1 canceled"])
    stop.set()
    world.stopper.wake()
    thread.join(10)
    assert not thread.is_alive()
