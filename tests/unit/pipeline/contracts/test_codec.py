from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import codec
from pipeline.contracts.events import BY_TOPIC, AudioUploaded, Event
from pipeline.errors import Permanent
from pipeline.testing import samples

EVENTS: list[Event] = [
    samples.audio_uploaded(),
    samples.transcript_ready(),
    samples.job_status(),
    samples.job_status(state="failed", details={"limit_s": "14400"}),
]
RELEASED = codec.released()
WRITTEN = RELEASED.written(AudioUploaded)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_its_bytes(event: Event) -> None:
    assert RELEASED.read(RELEASED.write(event), RELEASED.written(type(event))) == event


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_truncation_and_every_tail_is_undecodable(event: Event) -> None:
    body, writer = RELEASED.write(event), RELEASED.written(type(event))
    for length in range(len(body)):
        with pytest.raises(Permanent, match="undecodable"):
            RELEASED.read(body[:length], writer)
    with pytest.raises(Permanent, match="undecodable"):
        RELEASED.read(body + b"\0", writer)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_undecodable(junk: bytes) -> None:
    with pytest.raises(Permanent, match="undecodable"):
        RELEASED.read(junk, WRITTEN)


def test_the_header_names_event_version_and_fingerprint() -> None:
    event, version, mark = WRITTEN.header.decode().split("/")
    assert (event, version, mark) == ("audio_uploaded", "2", WRITTEN.fingerprint.hex())
    assert codec.named_fingerprint(WRITTEN.header) == WRITTEN.fingerprint
    assert RELEASED.known(WRITTEN.fingerprint) is WRITTEN


@pytest.mark.parametrize("header", [b"", b"no hex", b"\xff", b"audio_uploaded/1/", b"audio_uploaded/1/00ff", b"/" * 99])
def test_a_header_that_names_no_fingerprint_is_undecodable(header: bytes) -> None:
    with pytest.raises(Permanent, match="undecodable"):
        codec.named_fingerprint(header)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '"string"',
        '{"type": "record", "name": "Stranger", "fields": []}',
        '{"type": "record", "name": "AudioUploaded", "namespace": "razgovor.v1", "fields": [{"name": "a", "type": "b"}]}',
        '{"type": "nothing"}',
    ],
)
def test_a_schema_that_is_none_of_our_events_is_unknown(text: str) -> None:
    with pytest.raises(Permanent, match="unknown_schema"):
        RELEASED.foreign(text)


def test_what_does_not_resolve_with_our_schema_is_undecodable() -> None:
    empty = RELEASED.foreign('{"type": "record", "name": "AudioUploaded", "namespace": "razgovor.v1", "fields": []}')
    with pytest.raises(Permanent, match="undecodable"):
        RELEASED.read(b"", empty)


def test_a_foreign_schema_that_we_have_is_ours() -> None:
    assert RELEASED.foreign(WRITTEN.text) is WRITTEN


def test_a_release_writes_every_event() -> None:
    assert set(RELEASED.classes) == set(BY_TOPIC.values())
