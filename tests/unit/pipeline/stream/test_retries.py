from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stream.ports import Headers, Message
from pipeline.stream.retries import Origin, attempt_of, origin_of
from pipeline.stream.under_way import UnderWay
from pipeline.testing import samples


def message(topic: str, headers: Headers = (), *, offset: int = 5, value: bytes | None = b"v") -> Message:
    return Message(topic, 3, offset, b"job-1", value, headers, samples.ACCEPTED_AT)


def test_a_record_of_an_ordinary_topic_is_a_first_attempt_whatever_it_says() -> None:
    first = message("audio.uploaded", (("razgovor.attempt", b"3"), ("razgovor.origin", b"audio.uploaded/1/2")))
    assert attempt_of(first) == 1
    assert origin_of(first) == Origin("audio.uploaded", 3, 5)


def test_a_record_of_a_retry_topic_says_which_attempt_it_is_and_where_it_came_from() -> None:
    again = message("audio.uploaded.retry", (("razgovor.attempt", b"2"), ("razgovor.origin", b"audio.uploaded/7/99")))
    assert attempt_of(again) == 2
    assert origin_of(again) == Origin("audio.uploaded", 7, 99)


@given(attempt=st.binary(max_size=30), origin=st.binary(max_size=60))
def test_headers_that_make_no_sense_are_a_first_attempt_from_here(attempt: bytes, origin: bytes) -> None:
    strange = message("audio.uploaded.retry", (("razgovor.attempt", attempt), ("razgovor.origin", origin)))
    assert attempt_of(strange) >= 1
    assert origin_of(strange).topic == "audio.uploaded"


@pytest.mark.parametrize("origin", [b"job.status/1/2", b"audio.uploaded/x/2", b"audio.uploaded/1", b"", b"a/b/c/d"])
def test_an_origin_elsewhere_is_not_believed(origin: bytes) -> None:
    strange = message("audio.uploaded.retry", (("razgovor.origin", origin),))
    assert origin_of(strange) == Origin("audio.uploaded", 3, 5)


def test_what_is_remembered_belongs_to_one_record() -> None:
    memory: UnderWay[int] = UnderWay()
    memory.keep(message("t"), 2)
    assert memory.get(message("t")) == 2
    assert memory.get(message("t", offset=6)) is None
    assert memory.get(message("t", value=b"of another broker")) is None
    memory.forget(message("t"))
    assert memory.get(message("t")) is None


def test_the_oldest_is_forgotten_when_there_are_too_many() -> None:
    memory: UnderWay[int] = UnderWay(records_max=2)
    for offset in range(3):
        memory.keep(message("t", offset=offset), offset)
    assert [memory.get(message("t", offset=offset)) for offset in range(3)] == [None, 1, 2]
