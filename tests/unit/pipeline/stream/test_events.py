from __future__ import annotations

from datetime import datetime

import pytest

from pipeline.contracts.events import Event, TranscriptReady
from pipeline.errors import CallFault, Fatal, Permanent, Transient, Unavailable
from pipeline.outcome import Outcome, PutObject
from pipeline.stream import wire
from pipeline.stream.ports import Record
from pipeline.testing import samples
from tests.unit.pipeline.stream.house import House

READY = wire.encode(samples.transcript_ready())


def never(_event: Event, _received_at: datetime) -> Outcome[PutObject]:
    raise AssertionError


def raising(error: Exception) -> House:
    def handler(_event: TranscriptReady, _received_at: datetime) -> Outcome[PutObject]:
        raise error

    return House(handler)


def test_effects_are_applied_before_events_are_published() -> None:
    done = samples.job_status()

    def handler(event: Event, received_at: datetime) -> Outcome[PutObject]:
        assert (event, received_at) == (samples.transcript_ready(), samples.ACCEPTED_AT)
        return Outcome((PutObject("jobs/job-1/1/x/call.txt", b"text", "text/plain"),), (done,))

    house = House(handler)
    house.carry(READY)
    assert house.store.objects == {"jobs/job-1/1/x/call.txt": b"text"}
    assert house.published() == [done]


def test_nothing_is_published_when_the_effect_fails() -> None:
    def handler(_event: Event, _received_at: datetime) -> Outcome[PutObject]:
        return Outcome((PutObject("k", b"", "text/plain"),), (samples.job_status(),))

    house = House(handler)
    house.store.fails = lambda _key: True
    with pytest.raises(Transient):
        house.carry(READY)
    assert house.published() == []


def test_what_the_store_does_not_take_is_not_decided_again() -> None:
    decided = []

    def handler(event: Event, _received_at: datetime) -> Outcome[PutObject]:
        decided.append(event)
        return Outcome((PutObject("jobs/k", b"v", "text/plain"),), (samples.job_status(),))

    house = House(handler)
    message = house.lay(READY)
    house.store.fails = lambda _key: True
    for _ in range(5):
        with pytest.raises(Transient):
            house.take(message)
    house.store.fails = lambda _key: False
    house.take(message)
    assert len(decided) == 1
    assert house.published() == [samples.job_status()]
    house.take(message)
    assert len(decided) == 2


def test_what_cannot_be_decoded_is_put_aside_with_its_bytes_and_its_story() -> None:
    house = House(never)
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
    house = House(never)
    stray = wire.encode(samples.job_status())
    house.carry(Record("transcript.ready", stray.key, stray.value, stray.headers))
    (aside,) = house.put_aside()
    assert aside.header("razgovor.reason") == b"unexpected_event"


def test_a_fault_of_the_call_fails_the_job_and_is_not_put_aside() -> None:
    house = raising(CallFault("too_long", limit_s=60))
    house.carry(READY)
    failed = house.failure()
    assert (failed.reason, failed.details) == ("too_long", {"limit_s": "60"})
    assert house.put_aside() == []


def test_a_record_that_can_never_be_handled_is_put_aside_at_once_and_the_job_fails() -> None:
    house = raising(Permanent("no_such_thing"))
    house.carry(READY)
    (aside,) = house.put_aside()
    assert (aside.header("razgovor.reason"), aside.header("razgovor.attempt")) == (b"no_such_thing", b"1")
    assert house.failure().reason == "internal_error"


@pytest.mark.parametrize("error", [Unavailable("being closed"), Fatal("broken")])
def test_what_is_certainly_not_the_events_fault_is_the_runners(error: Exception) -> None:
    house = raising(error)
    message = house.lay(READY)
    for _ in range(10):
        with pytest.raises(type(error)):
            house.take(message)
    assert house.published() == []
    assert house.put_aside() == []


def test_a_record_is_not_passed_while_the_dlq_is_down() -> None:
    house = House(never)
    message = house.lay(Record("transcript.ready", b"k", b"junk"))
    house.broker.down = True
    for _ in range(30):
        with pytest.raises(Transient):
            house.take(message)
    house.broker.down = False
    house.take(message)
    assert len(house.put_aside()) == 1


def test_a_job_is_not_failed_before_the_dlq_has_its_record() -> None:
    house = raising(Permanent("no_such_thing"))
    message = house.lay(READY)
    house.broker.down = True
    with pytest.raises(Transient):
        house.take(message)
    house.broker.down = False
    assert house.published() == []
    house.take(message)
    assert house.failure().reason == "internal_error"


def test_a_broker_that_takes_nothing_burns_no_attempt() -> None:
    def handler(_event: Event, _received_at: datetime) -> Outcome[PutObject]:
        return Outcome(events=(samples.job_status(),))

    house = House(handler)
    message = house.lay(READY)
    broken = house.processor._producer
    healthy = broken.publish

    def refuse(_records: object) -> list[object]:
        raise Transient("kafka: NOT_ENOUGH_REPLICAS")

    broken.publish = refuse  # type: ignore[assignment,method-assign]  # metadata are given, records are not taken
    for _ in range(10):
        with pytest.raises(Transient):
            house.take(message)
    broken.publish = healthy  # type: ignore[method-assign]
    house.take(message)
    assert house.published() == [samples.job_status()]
    assert house.put_aside() == []


def test_an_answer_too_large_for_the_broker_puts_its_cause_aside() -> None:
    def handler(_event: Event, _received_at: datetime) -> Outcome[PutObject]:
        return Outcome(events=(samples.job_status(call_id="x" * 9000),))

    house = House(handler)
    house.broker.record_bytes_max = 8000
    house.carry(READY)
    (aside,) = house.put_aside()
    assert aside.header("razgovor.reason") == b"record_too_large"
    assert house.failure().reason == "internal_error"


def test_a_registry_that_is_away_is_waited_for_and_nothing_is_put_aside() -> None:
    house = House(never)
    message = house.lay(READY)

    def away(_message: object) -> Event:
        raise Unavailable("the schema registry does not answer")

    house.processor._wire.decode = away  # type: ignore[assignment,method-assign]  # a registry that is away
    for _ in range(30):
        with pytest.raises(Unavailable):
            house.take(message)
    assert house.put_aside() == []
