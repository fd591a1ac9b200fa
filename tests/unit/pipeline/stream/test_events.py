from __future__ import annotations

from datetime import datetime

import pytest

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts.events import Event, JobStatus, TranscriptReady
from pipeline.errors import CallFault, Fatal, Permanent, Transient
from pipeline.isolation import ChildFailed
from pipeline.outcome import Outcome, PutObject
from pipeline.stream import wire
from pipeline.stream.dead_letters import DeadLetters
from pipeline.stream.events import EventProcessor, Handler
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import Message, Record
from pipeline.testing import samples


class House:
    """A processor over fakes, and what came out of it."""

    def __init__(self, handler: Handler[TranscriptReady]) -> None:
        self.broker = MemoryBroker()
        self.store = MemoryStore()
        producer = self.broker.producer()
        self.processor = EventProcessor(
            handler,
            expects=TranscriptReady,
            stage="exporter",
            store=self.store,
            producer=producer,
            dead_letters=DeadLetters(producer, group="exporter"),
            clock=lambda: samples.ACCEPTED_AT,
        )

    def carry(self, record: Record) -> None:
        self.broker.producer().publish([record])
        self.processor(self.broker.messages(record.topic)[-1:])

    def published(self) -> list[Event]:
        return [wire.decode(message) for message in self.broker.messages("job.status")]

    def put_aside(self) -> list[Message]:
        return self.broker.messages("transcript.ready.dlq")


def test_effects_are_applied_before_events_are_published() -> None:
    done = samples.job_status()

    def handler(event: Event, received_at: datetime) -> Outcome[PutObject]:
        assert (event, received_at) == (samples.transcript_ready(), samples.ACCEPTED_AT)
        return Outcome((PutObject("jobs/job-1/1/x/call.txt", b"text", "text/plain"),), (done,))

    house = House(handler)
    house.carry(wire.encode(samples.transcript_ready()))
    assert house.store.objects == {"jobs/job-1/1/x/call.txt": b"text"}
    assert house.published() == [done]


def test_nothing_is_published_when_the_effect_fails() -> None:
    def full(*_args: object, **_named: object) -> None:
        raise Transient("store is full")

    def handler(_event: Event, _received_at: datetime) -> Outcome[PutObject]:
        return Outcome((PutObject("k", b"", "text/plain"),), (samples.job_status(),))

    house = House(handler)
    house.store.put = full  # type: ignore[method-assign]  # a store that breaks
    with pytest.raises(Transient):
        house.carry(wire.encode(samples.transcript_ready()))
    assert house.published() == []


def test_what_cannot_be_decoded_is_put_aside_with_its_bytes_and_its_story() -> None:
    def handler(_event: Event, _received_at: datetime) -> Outcome[PutObject]:
        raise AssertionError

    house = House(handler)
    house.carry(Record("transcript.ready", b"job-1", b"no avro", (("traceparent", b"00-x"),)))
    (aside,) = house.put_aside()
    assert (aside.key, aside.value) == (b"job-1", b"no avro")
    assert aside.header("traceparent") == b"00-x"
    assert aside.header("__connect.errors.topic") == b"transcript.ready"
    assert aside.header("__connect.errors.stage") == b"DECODE"
    assert aside.header("razgovor.reason") == b"undecodable"
    assert aside.header("razgovor.group") == b"exporter"
    assert house.published() == []


def test_an_event_that_belongs_elsewhere_is_put_aside() -> None:
    def handler(_event: Event, _received_at: datetime) -> Outcome[PutObject]:
        raise AssertionError

    house = House(handler)
    stray = wire.encode(samples.job_status())
    house.carry(Record("transcript.ready", stray.key, stray.value, stray.headers))
    (aside,) = house.put_aside()
    assert aside.header("razgovor.reason") == b"unexpected_event"


def test_a_fault_of_the_call_fails_the_job_and_is_not_put_aside() -> None:
    def handler(_event: Event, _received_at: datetime) -> Outcome[PutObject]:
        raise CallFault("too_long", limit_s=60)

    house = House(handler)
    house.carry(wire.encode(samples.transcript_ready()))
    (failed,) = house.published()
    assert isinstance(failed, JobStatus)
    assert (failed.state, failed.reason, failed.details) == ("failed", "too_long", {"limit_s": "60"})
    assert house.put_aside() == []


def test_an_unknown_exception_is_tried_three_times_then_put_aside_and_the_job_fails() -> None:
    tried = []

    def handler(event: Event, _received_at: datetime) -> Outcome[PutObject]:
        tried.append(event)
        raise ZeroDivisionError("Иванов, +79991234567")

    house = House(handler)
    house.carry(wire.encode(samples.transcript_ready()))
    assert len(tried) == 3
    (aside,) = house.put_aside()
    assert aside.header("razgovor.reason") == b"ZeroDivisionError"
    assert aside.header("razgovor.attempt") == b"3"
    assert "Иванов".encode() not in b"".join(value for _name, value in aside.headers)
    (failed,) = house.published()
    assert isinstance(failed, JobStatus)
    assert failed.reason == "internal_error"


@pytest.mark.parametrize("error", [Transient("away"), Fatal("broken")])
def test_transient_and_fatal_are_the_runners(error: Exception) -> None:
    def handler(_event: Event, _received_at: datetime) -> Outcome[PutObject]:
        raise error

    house = House(handler)
    with pytest.raises(type(error)):
        house.carry(wire.encode(samples.transcript_ready()))
    assert house.published() == []
    assert house.put_aside() == []


def test_a_record_is_not_passed_while_the_dlq_is_down() -> None:
    def handler(_event: Event, _received_at: datetime) -> Outcome[PutObject]:
        raise AssertionError

    house = House(handler)
    house.broker.producer().publish([Record("transcript.ready", b"k", b"junk")])
    messages = house.broker.messages("transcript.ready")
    house.broker.down = True
    with pytest.raises(Transient):
        house.processor(messages)


@pytest.mark.parametrize(("error", "tries"), [(ChildFailed("KeyError"), 3), (Permanent("no_such_thing"), 1)])
def test_a_failure_of_ours_that_nobody_maps_never_stops_the_partition(error: Exception, tries: int) -> None:
    tried = []

    def handler(event: Event, _received_at: datetime) -> Outcome[PutObject]:
        tried.append(event)
        raise error

    house = House(handler)
    house.carry(wire.encode(samples.transcript_ready()))
    assert len(tried) == tries
    assert len(house.put_aside()) == 1
    (failed,) = house.published()
    assert isinstance(failed, JobStatus)
    assert (failed.state, failed.reason) == ("failed", "internal_error")
