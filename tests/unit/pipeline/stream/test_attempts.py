"""Whose fault is it, and how often is it tried? The canary decides, three attempts, then the DLQ and `failed`."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime

import pytest

from pipeline.contracts import layout
from pipeline.contracts.events import TranscriptReady
from pipeline.errors import RetriableFault, Transient, WorkerCrashed
from pipeline.isolation import ChildFailed
from pipeline.outcome import Outcome, PutObject
from pipeline.stream import wire
from pipeline.stream.ports import Message, Record
from pipeline.testing import samples
from tests.unit.pipeline.stream.house import GROUP, House, by_retry_topic

READY = wire.encode(samples.transcript_ready())
CANARY = layout.canary_key(GROUP)


def reading(house_of: Callable[[], House]) -> Callable[[TranscriptReady, datetime], Outcome[PutObject]]:
    """A handler that reads its transcript, as the exporter does."""

    def handler(event: TranscriptReady, _received_at: datetime) -> Outcome[PutObject]:
        house_of().store.read(event.transcript.key)
        return Outcome(events=(samples.job_status(event.job_id),))

    return handler


def house_with(job_ids: list[str]) -> House:
    house: House = House(reading(lambda: house))
    for job_id in job_ids:
        house.store.objects[samples.transcript_ready(job_id).transcript.key] = b"{}"
    return house


def raising(error: Exception, tried: list[TranscriptReady]) -> House:
    def handler(event: TranscriptReady, _received_at: datetime) -> Outcome[PutObject]:
        tried.append(event)
        raise error

    return House(handler)


def test_an_outage_is_waited_for_and_burns_no_attempt() -> None:
    house = house_with(["job-1"])
    message = house.lay(READY)
    house.store.fails = lambda _key: True
    for _ in range(50):
        with pytest.raises(Transient):
            house.take(message)
    house.store.fails = lambda _key: False
    house.take(message)
    assert house.published() == [samples.job_status("job-1")]
    assert house.put_aside() == []


def test_a_broker_that_is_down_too_makes_a_failure_nobodys() -> None:
    house = house_with(["job-1"])
    message = house.lay(READY)
    bad = samples.transcript_ready("job-1").transcript.key
    house.store.fails = lambda key: key == bad
    house.broker.down = True
    for _ in range(10):
        with pytest.raises(Transient, match="canary"):
            house.take(message)
    house.broker.down = False
    assert house.taken(message) == 3


def test_an_event_that_fails_alone_is_tried_three_times_then_put_aside_and_failed() -> None:
    house = house_with(["job-1"])
    bad = samples.transcript_ready("job-1").transcript.key
    house.store.fails = lambda key: key == bad
    assert house.taken(house.lay(READY)) == 3
    (aside,) = house.put_aside()
    assert (aside.value, aside.header("razgovor.attempt")) == (READY.value, b"3")
    assert aside.header("razgovor.reason") == b"dependency_failed"
    assert aside.header("__connect.errors.stage") == b"HANDLE"
    failed = house.failure()
    assert (failed.reason, failed.details) == ("dependency_failed", {"service": "exporter", "attempts": "3"})


def test_one_key_that_always_answers_500_does_not_block_the_others() -> None:
    jobs = [f"job-{number}" for number in range(20)]
    house = house_with(jobs)
    bad = samples.transcript_ready("job-7").transcript.key
    house.store.fails = lambda key: key == bad
    for job_id in jobs:
        house.taken(house.lay(wire.encode(samples.transcript_ready(job_id))))
    states = {event.job_id: getattr(event, "state", None) for event in house.published()}
    assert states == {**dict.fromkeys(jobs, "completed"), "job-7": "failed"}


def test_a_key_that_recovers_between_attempts_is_forgiven() -> None:
    house = house_with(["job-1"])
    bad = samples.transcript_ready("job-1").transcript.key
    house.store.fails = lambda key: key == bad
    message = house.lay(READY)
    for _ in range(2):
        with pytest.raises(Transient, match=r"attempt \d of 3"):
            house.take(message)
    house.store.fails = lambda _key: False
    house.take(message)
    assert house.published() == [samples.job_status("job-1")]


def test_a_store_that_fails_now_and_then_fails_nobody() -> None:
    """Every third request of a store fails; the canary meets it as the events do."""
    jobs = [f"job-{number}" for number in range(300)]
    house = house_with(jobs)
    chance = random.Random(4)  # noqa: S311  the same weather at every run
    house.store.fails = lambda _key: chance.random() < 1 / 3
    for job_id in jobs:
        house.taken(house.lay(wire.encode(samples.transcript_ready(job_id))), at_most=1000)
    assert {getattr(event, "state", None) for event in house.published()} == {"completed"}
    assert len(house.published()) == len(jobs)
    assert house.put_aside() == []


def test_a_put_that_always_fails_is_three_attempts_too() -> None:
    decided = []

    def handler(event: TranscriptReady, _received_at: datetime) -> Outcome[PutObject]:
        decided.append(event)
        return Outcome((PutObject("jobs/job-1/bad", b"v", "text/plain"),), (samples.job_status(),))

    house = House(handler)
    house.store.fails = lambda key: key.endswith("bad")
    assert house.taken(house.lay(READY)) == 3
    assert len(decided) == 1
    assert house.failure().reason == "dependency_failed"


@pytest.mark.parametrize("error", [ZeroDivisionError("Иванов, +79991234567"), ChildFailed("KeyError")])
def test_a_bug_of_ours_is_tried_three_times_then_put_aside_without_its_text(error: Exception) -> None:
    tried: list[TranscriptReady] = []
    house = raising(error, tried)
    assert house.taken(house.lay(READY)) == 3
    assert len(tried) == 3
    (aside,) = house.put_aside()
    assert aside.header("razgovor.reason") == type(error).__name__.encode()
    assert "Иванов".encode() not in b"".join(value for _name, value in aside.headers)
    assert house.failure().reason == "internal_error"


def test_a_bug_that_shows_while_the_store_is_away_is_waited_for() -> None:
    tried: list[TranscriptReady] = []
    house = raising(ZeroDivisionError(), tried)
    house.store.fails = lambda key: key == CANARY
    message = house.lay(READY)
    for _ in range(10):
        with pytest.raises(Transient, match="canary"):
            house.take(message)
    assert house.put_aside() == []


def test_a_fault_that_may_pass_is_tried_three_times_and_never_put_aside() -> None:
    tried: list[TranscriptReady] = []
    house = raising(RetriableFault("transcript_missing"), tried)
    assert house.taken(house.lay(READY)) == 3
    assert len(tried) == 3
    assert house.failure().reason == "transcript_missing"
    assert house.put_aside() == []


def test_a_call_that_crashes_its_worker_is_put_aside_once_and_for_all() -> None:
    tried: list[TranscriptReady] = []
    house = raising(WorkerCrashed(), tried)
    assert house.taken(house.lay(READY)) == 1
    (aside,) = house.put_aside()
    assert aside.header("razgovor.reason") == b"worker_crashed"
    assert house.failure().reason == "worker_crashed"


def by_the_topic(house: House) -> list[Message]:
    """Take the record, then whatever waits on the retry topic, until nothing new waits; the records taken."""
    taken = [house.lay(Record("transcript.ready", READY.key, READY.value, (*READY.headers, ("traceparent", b"00-x"))))]
    for message in taken:
        house.take(message)
        taken += house.waiting()[len(taken) - 1 :]
    return taken


def test_attempts_go_through_the_retry_topic_with_bytes_and_origin_kept() -> None:
    tried: list[TranscriptReady] = []

    def handler(event: TranscriptReady, _received_at: datetime) -> Outcome[PutObject]:
        tried.append(event)
        raise ZeroDivisionError

    house = House(handler, retries=by_retry_topic)
    original, second, third = by_the_topic(house)
    assert len(tried) == 3
    assert {message.value for message in (original, second, third)} == {READY.value}
    assert [message.header("razgovor.attempt") for message in (original, second, third)] == [None, b"2", b"3"]
    assert [name for name, _ in third.headers].count("razgovor.attempt") == 1
    (aside,) = house.put_aside()
    assert aside.header("__connect.errors.topic") == b"transcript.ready"
    assert aside.header("__connect.errors.partition") == str(original.partition).encode()
    assert aside.header("__connect.errors.offset") == str(original.offset).encode()
    assert (aside.header("razgovor.attempt"), aside.header("traceparent")) == (b"3", b"00-x")
    assert [name for name, _ in aside.headers].count("razgovor.attempt") == 1
    assert house.failure().reason == "internal_error"


def test_an_offset_stays_while_the_retry_topic_takes_nothing() -> None:
    tried: list[TranscriptReady] = []

    def handler(event: TranscriptReady, _received_at: datetime) -> Outcome[PutObject]:
        tried.append(event)
        raise ZeroDivisionError

    house = House(handler, retries=by_retry_topic)
    message = house.lay(READY)
    publish = house.guards.retries._producer.publish  # type: ignore[attr-defined]  # RetryTopic's

    def refuse(_records: object) -> None:
        raise Transient("kafka: NOT_ENOUGH_REPLICAS")

    house.guards.retries._producer.publish = refuse  # type: ignore[attr-defined]
    for _ in range(5):
        with pytest.raises(Transient):
            house.take(message)
    assert house.put_aside() == []
    house.guards.retries._producer.publish = publish  # type: ignore[attr-defined]
    house.take(message)
    assert [message.header("razgovor.attempt") for message in house.waiting()] == [b"2"]
