"""A run that was called off: nothing is put, nothing is said, and the offset passes, whenever it happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from pipeline.contracts import layout
from pipeline.contracts.events import Event, TranscriptReady
from pipeline.outcome import Outcome, PutObject
from pipeline.stream import wire
from pipeline.testing import samples
from tests.unit.pipeline.stream.house import House

READY = samples.transcript_ready()
RECORD = wire.encode(READY)
TEXT = "jobs/job-1/1/x/call.txt"
TABLE = "jobs/job-1/1/x/call.xlsx"
DONE = Outcome((PutObject(TEXT, b"t", "text/plain"), PutObject(TABLE, b"x", "text/plain")), (samples.job_status(),))


def house_with(meanwhile: Callable[[House], None] = lambda _house: None) -> House:
    """An exporter of two files; `meanwhile` happens while it decides."""
    house: House

    def handler(_event: TranscriptReady, _received_at: datetime) -> Outcome[PutObject]:
        meanwhile(house)
        return DONE

    house = House(handler)
    return house


def call_off(house: House, run: int = READY.run) -> None:
    house.store.put(layout.called_off_key(READY.job_id, run), b"canceled", media_type="text/plain")


def left(house: House) -> list[str]:
    return sorted(key for key in house.store.objects if not key.endswith(f"/{layout.CALLED_OFF_NAME}"))


def test_what_was_called_off_before_is_not_begun() -> None:
    def never(_event: Event, _received_at: datetime) -> Outcome[PutObject]:
        raise AssertionError

    house = House(never)
    call_off(house)
    house.carry(RECORD)
    assert (left(house), house.published(), house.put_aside()) == ([], [], [])


def test_what_is_called_off_while_it_is_decided_is_neither_put_nor_told() -> None:
    house = house_with(call_off)
    house.carry(RECORD)
    assert (left(house), house.published()) == ([], [])


def test_what_is_called_off_while_it_is_put_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    house = house_with()
    put = house.store.put

    def put_and_call_off(key: str, data: bytes, *, media_type: str) -> None:
        put(key, data, media_type=media_type)
        if key == TABLE:
            put(layout.called_off_key(READY.job_id, READY.run), b"erased", media_type="text/plain")

    monkeypatch.setattr(house.store, "put", put_and_call_off)
    house.carry(RECORD)
    assert house.published() == []


def test_what_was_decided_is_kept_while_nobody_can_say_whether_it_is_called_off() -> None:
    decided: list[House] = []
    house = house_with(decided.append)
    refusals = iter([True, True, True])

    def fails(key: str) -> bool:
        return key == layout.called_off_key(READY.job_id, READY.run) and bool(decided) and next(refusals, False)

    house.store.fails = fails
    assert house.taken(house.lay(RECORD)) > 1
    assert (len(decided), len(house.published()), next(refusals, None)) == (1, 1, None)


def test_another_run_goes_on() -> None:
    house = house_with()
    call_off(house, READY.run + 1)
    house.carry(RECORD)
    assert left(house) == [TEXT, TABLE]
    assert len(house.published()) == 1


def test_the_next_record_is_taken_as_ever() -> None:
    house = house_with()
    call_off(house)
    house.carry(RECORD)
    house.carry(wire.encode(samples.transcript_ready("job-2")))
    assert [event.job_id for event in house.published()] == ["job-1"]  # what this exporter says of everything
