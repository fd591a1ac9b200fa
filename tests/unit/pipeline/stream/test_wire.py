from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import codec
from pipeline.contracts.codec import Codec
from pipeline.contracts.events import AudioUploaded, Event, TranscriptReady
from pipeline.errors import Permanent, Unavailable
from pipeline.stream import framing
from pipeline.stream.ports import Headers, Message, Record
from pipeline.stream.schema_registry import MemoryRegistry, subject_of
from pipeline.stream.wire import Wire
from pipeline.testing import samples

JOB_ID = "0b7e4c9e-6f0f-4f1e-9a55-3d1f6f1f2a77"
EVENTS: list[Event] = [samples.audio_uploaded(), samples.transcript_ready(), samples.job_status()]
SCHEMA = "razgovor.schema"


def message(record: Record, headers: Headers | None = None, value: bytes | None = None) -> Message:
    return Message(
        topic=record.topic,
        partition=0,
        offset=0,
        key=record.key,
        value=record.value if value is None else value,
        headers=record.headers if headers is None else headers,
        timestamp=datetime(2026, 11, 23, tzinfo=UTC),
    )


def registry(first_id: int = 1) -> MemoryRegistry:
    made = MemoryRegistry(first_id)
    for schema in codec.released_schemas().values():
        topic = next(one.TOPIC for one in codec.released().classes if schema.event == one.SCHEMA)
        made.register(subject_of(topic), schema.text)
    return made


def header_of(record: Record, name: str) -> str:
    return dict(record.headers)[name].decode()


@pytest.mark.parametrize("writer", [Wire(), Wire(registry())], ids=["single object", "confluent"])
@pytest.mark.parametrize("reader", [Wire(), Wire(registry(900))], ids=["without registry", "other registry"])
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_whoever_reads_takes_both_framings_and_any_registrys_ids(event: Event, writer: Wire, reader: Wire) -> None:
    assert reader.decode(message(writer.encode(event))) == event


def test_the_first_byte_tells_the_framing() -> None:
    event, ours = samples.audio_uploaded(), registry(258)
    single, framed = Wire().encode(event), Wire(ours).encode(event)
    mark = codec.released().written(AudioUploaded).fingerprint
    body = codec.released().write(event)
    assert single.value == b"\xc3\x01" + mark + body
    assert framed.value == b"\x00\x00\x00\x01\x02" + body
    assert single.headers == framed.headers


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_without_the_header_what_stands_before_the_body_decides(event: Event) -> None:
    ours = registry(7)
    assert Wire().decode(message(Wire().encode(event), ())) == event
    assert Wire(ours).decode(message(Wire(ours).encode(event), ())) == event


def test_the_header_wins_over_an_id_that_a_rebuilt_registry_gave_to_another_schema() -> None:
    event = samples.audio_uploaded()
    record = Wire(registry(1)).encode(event)
    rebuilt = MemoryRegistry(1)
    rebuilt.register(subject_of("job.status"), '{"type": "string"}')
    rebuilt.register(subject_of(TranscriptReady.TOPIC), codec.released().written(TranscriptReady).text)
    assert Wire(rebuilt).decode(message(record)) == event
    with pytest.raises(Permanent, match="unknown_schema"):
        Wire(rebuilt).decode(message(record, ()))


def test_known_schemas_need_no_registry_to_be_read() -> None:
    ours = registry()
    record = Wire(ours).encode(samples.audio_uploaded())
    ours.down, ours.calls = True, 0
    assert Wire(ours).decode(message(record)) == samples.audio_uploaded()
    assert ours.calls == 0


def test_with_a_registry_that_is_away_known_ids_go_on_and_others_wait() -> None:
    ours = registry()
    wire = Wire(ours)
    record = wire.encode(samples.audio_uploaded())
    wire.decode(message(record, ()))
    ours.down = True
    assert wire.encode(samples.audio_uploaded()) == record
    assert wire.decode(message(record, ())) == samples.audio_uploaded()
    with pytest.raises(Unavailable):
        wire.encode(samples.job_status())
    with pytest.raises(Unavailable):
        Wire(ours).decode(message(record, ()))
    ours.down = False
    assert wire.encode(samples.job_status()).value


def test_verifying_looks_up_all_that_is_written_and_says_what_to_do_without() -> None:
    with pytest.raises(Unavailable, match=re.escape("audio_uploaded/2: run `razgovor topics apply`")):
        Wire(MemoryRegistry()).verify()
    ours = registry()
    wire = Wire(ours)
    wire.verify()
    ours.down = True
    for event in EVENTS:
        assert wire.encode(event).value
    Wire().verify()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "undecodable"),
        (b"\x00", "undecodable"),
        (b"\x00\x00\x00\x00", "undecodable"),
        (b"\xc3", "undecodable"),
        (b"\xc3\x01\x00\x00", "undecodable"),
        (b"\x01\x00\x00\x00\x01body", "undecodable"),
        (b'{"json": true}', "undecodable"),
        (b"\x00\x00\x0f\x42\x40body", "unknown_schema"),
        (b"\xc3\x01" + bytes(8) + b"body", "unknown_schema"),
    ],
)
@pytest.mark.parametrize("wire", [Wire(), Wire(registry())], ids=["without registry", "with registry"])
def test_bytes_of_no_event_are_permanent(wire: Wire, value: bytes, reason: str) -> None:
    with pytest.raises(Permanent, match=reason):
        wire.decode(message(Record("audio.uploaded", b"k", None), (), value))


def test_a_tombstone_is_undecodable() -> None:
    with pytest.raises(Permanent, match="undecodable"):
        Wire().decode(message(Record("audio.uploaded", b"k", None), ()))


@given(st.binary(max_size=60), st.booleans())
def test_no_bytes_raise_anything_but_permanent(junk: bytes, named: bool) -> None:  # noqa: FBT001  hypothesis gives it
    record = WITH_REGISTRY.encode(samples.audio_uploaded())
    with pytest.raises(Permanent):
        WITH_REGISTRY.decode(message(record, None if named else (), junk))


WITH_REGISTRY = Wire(registry())


@pytest.mark.parametrize("header", [b"audio_uploaded/9/0000000000000000", b"no hex", b"\xff"])
@pytest.mark.parametrize("wire", [Wire(), WITH_REGISTRY], ids=["single object", "confluent"])
def test_a_header_that_names_nothing_known_is_permanent_even_if_the_bytes_would_do(wire: Wire, header: bytes) -> None:
    with pytest.raises(Permanent):
        wire.decode(message(wire.encode(samples.audio_uploaded()), ((SCHEMA, header),)))


# --- two releases side by side -------------------------------------------------------------------------------------


class AudioUploadedV2(AudioUploaded):
    """The next release's: it asks for one thing more."""

    VERSION = 2

    diarise: bool = False


def next_release() -> Codec:
    schemas = list(codec.released_schemas().values())
    raw: dict[str, Any] = json.loads(codec.released().written(AudioUploaded).text)
    raw["fields"].append(
        {"name": "diarise", "type": "boolean", "default": False, "doc": "Whether to tell voices apart."}
    )
    raw["fields"][0]["doc"] = "Another word for it."
    classes = [AudioUploadedV2 if one is AudioUploaded else one for one in codec.released().classes]
    return Codec([*schemas, codec.parse_schema("audio_uploaded", 2, json.dumps(raw))], classes)


def event_v2() -> AudioUploadedV2:
    return AudioUploadedV2(**samples.audio_uploaded().model_dump(), diarise=True)


def both_releases() -> MemoryRegistry:
    made = registry()
    made.register(subject_of(AudioUploaded.TOPIC), next_release().written(AudioUploadedV2).text)
    return made


def test_the_next_release_reads_what_this_one_writes_with_its_default() -> None:
    old = Wire().encode(samples.audio_uploaded())
    new = Wire(release=next_release()).decode(message(old))
    assert isinstance(new, AudioUploadedV2)
    assert new.diarise is False
    assert new.model_dump(exclude={"diarise"}) == samples.audio_uploaded().model_dump()


@pytest.mark.parametrize("headers", [None, ()], ids=["by header", "by id"])
def test_this_release_reads_what_the_next_one_writes_without_what_it_does_not_know(headers: Headers | None) -> None:
    ours = both_releases()
    record = Wire(ours, next_release()).encode(event_v2())
    assert header_of(record, SCHEMA).startswith("audio_uploaded/2/")
    seen = Wire(ours).decode(message(record, headers))
    assert type(seen) is AudioUploaded
    assert seen == samples.audio_uploaded()


def test_a_newer_schema_is_found_by_its_fingerprint_where_its_id_is_another_schemas() -> None:
    record = Wire(both_releases(), next_release()).encode(event_v2())
    rebuilt = registry(500)
    rebuilt.register(subject_of(AudioUploaded.TOPIC), '{"type": "string"}')
    rebuilt.register(subject_of(AudioUploaded.TOPIC), next_release().written(AudioUploadedV2).text)
    reader = Wire(rebuilt)
    assert reader.decode(message(record)) == samples.audio_uploaded()
    rebuilt.down = True
    assert reader.decode(message(record)) == samples.audio_uploaded()
    with pytest.raises(Unavailable):
        Wire(rebuilt).decode(message(record))


def test_without_a_registry_a_newer_schema_is_unknown() -> None:
    record = Wire(both_releases(), next_release()).encode(event_v2())
    with pytest.raises(Permanent, match="unknown_schema"):
        Wire().decode(message(record))


def test_a_release_may_know_a_version_before_it_writes_it() -> None:
    class Cautious(AudioUploadedV2):
        VERSION = 1

    classes = [Cautious if one is AudioUploadedV2 else one for one in next_release().classes]
    two_schemas = [*codec.released_schemas().values(), next_release().written(AudioUploadedV2)]
    cautious = Codec(two_schemas, classes)
    record = Wire(release=cautious).encode(Cautious(**event_v2().model_dump()))
    assert Wire().decode(message(record)) == samples.audio_uploaded()
    bold = Wire(release=next_release()).encode(event_v2())
    assert Wire(release=cautious).decode(message(bold)).model_dump() == event_v2().model_dump()


# --- trace context --------------------------------------------------------------------------------------------------


def test_all_events_of_a_job_are_one_trace_and_each_its_own_parent() -> None:
    made = [samples.audio_uploaded(JOB_ID), samples.transcript_ready(JOB_ID), samples.audio_uploaded(JOB_ID, run=2)]
    values = [header_of(Wire().encode(event), "traceparent") for event in made]
    assert all(re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", value) for value in values)
    assert {value.split("-")[1] for value in values} == {uuid.UUID(JOB_ID).hex}
    assert [value.split("-")[2] for value in values] == [uuid.UUID(event.event_id).hex[:16] for event in made]
    assert len(set(values)) == 3


def test_an_event_written_again_is_the_same_record() -> None:
    assert Wire().encode(samples.audio_uploaded(JOB_ID)) == Wire().encode(samples.audio_uploaded(JOB_ID))


def test_an_id_that_is_no_uuid_still_gives_a_trace() -> None:
    first, other = (
        header_of(Wire().encode(samples.audio_uploaded(name)), "traceparent") for name in ("job-1", "job-2")
    )
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", first)
    assert first.split("-")[1] != other.split("-")[1]


def test_an_event_may_go_to_another_topic_under_that_topics_id() -> None:
    ours = registry()
    ours.register(subject_of("transcript.replay"), codec.released().written(TranscriptReady).text)
    record = Wire(ours).encode(samples.transcript_ready(), topic="transcript.replay")
    assert record.topic == "transcript.replay"
    assert framing.split(record.value).schema_id == ours.id_of(
        subject_of("transcript.replay"), codec.released().written(TranscriptReady).text
    )
