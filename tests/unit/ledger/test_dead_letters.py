from __future__ import annotations

import hashlib

from pipeline.stream.ports import Headers, Message
from pipeline.testing import samples
from services.ledger import dead_letters
from services.ledger.effects import KeepDlqRecord

VALUE = b"\xc3\x01 not ours \x00\xff"


def dead_letter(headers: Headers, value: bytes | None = VALUE) -> Message:
    return Message("job.status.dlq", 2, 17, b"job-1", value, headers, samples.ACCEPTED_AT)


def kept(headers: Headers, value: bytes | None = VALUE) -> KeepDlqRecord:
    (effect,) = dead_letters.keep(dead_letter(headers, value)).effects
    assert isinstance(effect, KeepDlqRecord)
    return effect


def test_only_dlq_topics_hold_dead_letters() -> None:
    assert dead_letters.is_dead_letter(dead_letter(()))
    assert not dead_letters.is_dead_letter(Message("job.status", 0, 0, None, None, (), samples.ACCEPTED_AT))


def test_a_record_keeps_its_bytes_and_its_story() -> None:
    headers = (
        ("razgovor.schema", b"job_status/1/00"),
        ("__connect.errors.topic", b"job.status"),
        ("__connect.errors.partition", b"5"),
        ("__connect.errors.offset", b"4503599627370496"),
        ("razgovor.group", b"ledger"),
        ("razgovor.reason", b"undecodable"),
        ("razgovor.event_id", b"e-1"),
    )
    record = kept(headers)
    assert (record.value, record.headers) == (VALUE, headers)
    assert record.value_sha256 == hashlib.sha256(VALUE).hexdigest()
    assert (record.reason, record.group, record.event_id) == ("undecodable", "ledger", "e-1")
    assert (record.origin_topic, record.origin_partition, record.origin_offset) == ("job.status", 5, 4503599627370496)


def test_a_record_without_a_story_is_kept_all_the_same() -> None:
    record = kept((), value=None)
    assert (record.value, record.reason, record.origin_topic, record.origin_offset) == (None, None, None, None)


def test_broken_headers_are_kept_raw_and_read_as_nothing() -> None:
    headers = (
        ("__connect.errors.partition", b"99999999999"),
        ("__connect.errors.offset", b"x"),
        ("razgovor.reason", b"\xff\x00"),
        ("bad\0name", b"\x00"),
    )
    record = kept(headers)
    assert (record.origin_partition, record.origin_offset) == (None, None)
    assert record.reason == "\ufffd\ufffd"
    assert record.headers[-1] == ("bad\ufffdname", b"\x00")


def test_an_empty_event_id_is_none() -> None:
    assert kept((("razgovor.event_id", b""),)).event_id is None
