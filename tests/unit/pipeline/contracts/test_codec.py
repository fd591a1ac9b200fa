from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import codec
from pipeline.contracts.events import Event
from pipeline.errors import Permanent
from pipeline.testing import samples

EVENTS: list[Event] = [
    samples.audio_uploaded(),
    samples.transcript_ready(),
    samples.job_status(),
    samples.job_status(state="failed", details={"limit_s": "14400"}),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_the_wire(event: Event) -> None:
    value, header = codec.encode(event)
    assert codec.decode(value, header) == event
    assert codec.decode(value, None) == event


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_truncation_and_every_tail_is_undecodable(event: Event) -> None:
    value, header = codec.encode(event)
    for length in range(len(value)):
        with pytest.raises(Permanent, match="undecodable"):
            codec.decode(value[:length], header)
    with pytest.raises(Permanent, match="undecodable"):
        codec.decode(value + b"\0", header)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_undecodable(junk: bytes) -> None:
    value, header = codec.encode(EVENTS[0])
    for candidate in (junk, value[:10] + junk):
        with pytest.raises(Permanent, match="undecodable"):
            codec.decode(candidate, header)


def test_an_unknown_schema_or_a_header_that_is_none_is_undecodable() -> None:
    value, _header = codec.encode(EVENTS[0])
    for header in (b"audio_uploaded/9/0000000000000000", b"no hex", b"\xff"):
        with pytest.raises(Permanent, match="undecodable"):
            codec.decode(value, header)
    with pytest.raises(Permanent, match="undecodable"):
        codec.decode(None, None)


def test_the_header_names_event_version_and_fingerprint_of_the_bytes() -> None:
    value, header = codec.encode(EVENTS[0])
    event, version, mark = header.decode().split("/")
    assert (event, version) == ("audio_uploaded", "1")
    assert value[:2] == b"\xc3\x01"
    assert value[2:10].hex() == mark
