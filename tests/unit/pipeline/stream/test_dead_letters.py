from __future__ import annotations

import hashlib

import pytest

from pipeline.errors import Transient, Unavailable
from pipeline.stream.dead_letters import DeadLetters
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import Headers, Message
from pipeline.testing import samples


class CountingFuse:
    def __init__(self) -> None:
        self.blown = False
        self.reasons: list[str] = []

    def require_room(self) -> None:
        if self.blown:
            raise Transient("blown")

    def put_aside(self, reason: str) -> None:
        self.reasons.append(reason)


def message(value: bytes | None, headers: Headers = (), key: bytes | None = b"job-1") -> Message:
    return Message("job.status", 2, 17, key, value, headers, samples.ACCEPTED_AT)


def letters(broker: MemoryBroker, fuse: CountingFuse) -> DeadLetters:
    return DeadLetters(broker.producer(), group="ledger", fuse=fuse)


def test_a_record_too_large_with_its_story_goes_there_without_its_bytes() -> None:
    broker, fuse, value = MemoryBroker(), CountingFuse(), b"\xff" * 1000
    broker.record_bytes_max = 1200  # it came in just so
    letters(broker, fuse).put(message(value, (("own", b"x" * 150),)), "undecodable", stage="decode")
    (aside,) = broker.messages("job.status.dlq")
    assert (aside.key, aside.value) == (b"job-1", None)
    assert aside.header("razgovor.payload_omitted_bytes") == b"1000"
    assert aside.header("razgovor.payload_sha256") == hashlib.sha256(value).hexdigest().encode()
    assert aside.header("__connect.errors.offset") == b"17"
    assert aside.header("own") is None
    assert fuse.reasons == ["undecodable"]


def test_a_key_too_large_is_left_out_as_well() -> None:
    broker = MemoryBroker()
    broker.record_bytes_max = 2000
    letters(broker, CountingFuse()).put(message(b"", key=b"k" * 2000), "undecodable", stage="decode")
    (aside,) = broker.messages("job.status.dlq")
    assert aside.key is None


def test_no_id_is_too_long_for_the_story() -> None:
    broker = MemoryBroker()
    broker.record_bytes_max = 2000
    letters(broker, CountingFuse()).put(message(b"v" * 1900), "KeyError", stage="handle", event_id="e" * 5000)
    (aside,) = broker.messages("job.status.dlq")
    assert aside.header("razgovor.event_id") == b"e" * 64


def test_a_dlq_that_takes_not_even_the_story_lets_nothing_pass() -> None:
    broker, fuse = MemoryBroker(), CountingFuse()
    broker.record_bytes_max = 10
    with pytest.raises(Unavailable):
        letters(broker, fuse).put(message(b"v"), "undecodable", stage="decode")
    assert fuse.reasons == []


def test_the_fuse_is_told_only_of_what_lies_there() -> None:
    broker, fuse = MemoryBroker(), CountingFuse()
    broker.down = True
    for _ in range(30):
        with pytest.raises(Transient):
            letters(broker, fuse).put(message(b"v"), "undecodable", stage="decode")
    assert fuse.reasons == []


def test_nothing_is_put_aside_while_the_fuse_has_blown() -> None:
    broker, fuse = MemoryBroker(), CountingFuse()
    fuse.blown = True
    with pytest.raises(Transient):
        letters(broker, fuse).put(message(b"v"), "undecodable", stage="decode")
    assert broker.messages("job.status.dlq") == []
