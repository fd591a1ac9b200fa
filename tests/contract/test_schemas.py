"""The data of schemas/ holds together, and a released file never changes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import avro.schema
import fastavro
import pytest
import yaml
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from pipeline.contracts import codec
from pipeline.contracts.events import BY_TOPIC, AudioUploaded, Event
from pipeline.contracts.topics import GROUPS, group_of
from pipeline.stream.retries import retry_topic
from razgovor.topics.acl_file import read_acls
from services.exporter import __main__ as exporter
from services.ingest import announcer
from services.ingest.calls import intake
from services.ledger import __main__ as ledger
from services.transcriber import __main__ as transcriber

SCHEMAS = Path(codec.__file__).parents[2] / "schemas"
TOPICS: dict[str, dict[str, Any]] = yaml.safe_load((SCHEMAS / "topics.yaml").read_text(encoding="utf-8"))
EXAMPLES = sorted((SCHEMAS / "examples").rglob("*.json"))
KAFKAS_LARGEST_RECORD_BYTES = 1_048_588  # message.max.bytes where nobody set it
SERVICES = {"ingest", "transcriber", "exporter", "ledger"}
OTHERS = {"operator", "upstream", "subscribers"}

#: What was released; a changed file gives another fingerprint. A change is a new version beside the old one.
RELEASED = {
    "audio_uploaded/1": "1013fdedc9d31ec5",
    "audio_uploaded/2": "7b8a192a41d255b7",
    "transcript_ready/1": "3b0469c1e129d0f3",
    "job_status/1": "3bf736afe5874278",
    "call_recorded/1": "8d4d126136134f72",
}


def test_released_schemas_are_as_they_were_released() -> None:
    found = {f"{one.event}/{one.version}": one.fingerprint.hex() for one in codec.released_schemas().values()}
    assert found == RELEASED


def test_every_schema_is_used_by_a_topic_and_every_topic_has_its_schema_or_is_a_dlq() -> None:
    used = {topic["schema"] for topic in TOPICS.values() if topic.get("schema")}
    assert used == {path.parent.name for path in SCHEMAS.glob("*/v*.avsc")}
    for name, topic in TOPICS.items():
        assert ("schema" in topic) != ("dlq_of" in topic), name
        if topic.get("schema"):
            assert (SCHEMAS / topic["schema"] / f"v{topic['version']}.avsc").is_file()


def test_the_code_writes_what_the_topics_say() -> None:
    for name, event_class in BY_TOPIC.items():
        assert (TOPICS[name]["schema"], TOPICS[name]["version"]) == (event_class.SCHEMA, event_class.VERSION)


def test_every_topic_has_owners_a_dlq_and_a_life_span() -> None:
    for name, topic in TOPICS.items():
        assert topic["key"] == ("call_id" if name.startswith("call.recorded") else "job_id"), name
        assert set(topic["producers"]) <= SERVICES | OTHERS, name
        assert set(topic["consumers"]) <= SERVICES | OTHERS, name
        assert topic["producers"], name
        assert topic["consumers"], name
        retention_ms, segment_ms = (int(topic["config"][key]) for key in ("retention.ms", "segment.ms"))
        assert topic["config"]["cleanup.policy"] == "delete"
        assert segment_ms <= 43_200_000 <= retention_ms, f"{name}: erased ids must leave the log in time"
        if "dlq_of" in topic:
            assert TOPICS[topic["dlq_of"]]["dlq"] == name
            assert retention_ms >= int(TOPICS[topic["dlq_of"]]["config"]["retention.ms"])
            assert int(topic["config"]["max.message.bytes"]) > KAFKAS_LARGEST_RECORD_BYTES, (
                f"{name}: the story has no room"
            )
        elif set(topic["consumers"]) & SERVICES:
            assert TOPICS[topic["dlq"]]["dlq_of"] == topic.get("retry_of", name)
        else:
            assert topic["dlq"] is None, f"{name}: nobody of ours would write it"


def test_the_topics_name_who_reads_them_in_the_code() -> None:
    read = {
        "ledger": set(ledger.TOPICS),
        "transcriber": set(transcriber.TOPICS),
        "exporter": set(exporter.TOPICS),
        "ingest": set(intake.TOPICS),
    }
    for service, topics in read.items():
        said = {name for name, topic in TOPICS.items() if service in topic["consumers"]}
        assert said == topics, service


def test_whoever_reads_a_topic_may_put_aside_what_it_holds() -> None:
    for name, topic in TOPICS.items():
        if topic.get("dlq"):
            assert set(topic["consumers"]) & SERVICES <= set(TOPICS[topic["dlq"]]["producers"]), name


def test_every_producer_and_consumer_has_the_rights_for_it_and_no_others() -> None:
    allowed = read_acls(SCHEMAS.parent / "compose" / "kafka" / "acls.yaml")
    assert set(allowed.users) == {*SERVICES, "operator"}
    for user in SERVICES:
        rights = {(acl.operation, acl.name) for acl in allowed.acls if acl.user == user and acl.resource == "topic"}
        writes = {("write", name) for name, topic in TOPICS.items() if user in topic["producers"]}
        reads = {("read", name) for name, topic in TOPICS.items() if user in topic["consumers"]}
        assert rights == writes | reads, user
        assert not any(acl.resource == "cluster" or acl.prefixed for acl in allowed.acls if acl.user == user), user
    groups = {(acl.user, acl.operation, acl.name) for acl in allowed.acls if acl.resource == "group"}
    assert {(user, name) for user, operation, name in groups if operation == "read" and user in SERVICES} == {
        (user, group_of(user, name)) for name, topic in TOPICS.items() for user in SERVICES & set(topic["consumers"])
    }
    assert (intake.GROUP, transcriber.GROUP, exporter.GROUP, ledger.GROUP) == GROUPS
    assert ("ingest", "describe", announcer.GROUP) in groups


def test_operators_may_publish_again_what_was_put_aside_and_see_how_far_every_group_is() -> None:
    rights = {
        (acl.resource, acl.operation, acl.name)
        for acl in read_acls(SCHEMAS.parent / "compose" / "kafka" / "acls.yaml").acls
        if acl.user == "operator"
    }
    put_aside = {name for name, topic in TOPICS.items() if topic.get("dlq") and "retry_of" not in topic}
    groups = {
        group_of(group, name) for group in GROUPS for name, topic in TOPICS.items() if group in topic["consumers"]
    }
    assert {("topic", "write", name) for name in put_aside} <= rights
    assert {("group", "describe", name) for name in groups} <= rights


def test_a_retry_topic_is_like_its_topic() -> None:
    retries = {name: topic for name, topic in TOPICS.items() if "retry_of" in topic}
    assert set(retries) == {retry_topic("audio.uploaded")}
    for topic in retries.values():
        original = TOPICS[topic["retry_of"]]
        shared = ("key", "schema", "version", "partitions", "dlq")
        assert {name: topic[name] for name in shared} == {name: original[name] for name in shared}
        assert "max.message.bytes" not in original["config"]


@pytest.mark.parametrize("event_class", BY_TOPIC.values(), ids=lambda one: one.SCHEMA)
def test_versions_are_compatible_with_each_other_all_the_way(event_class: type[Event]) -> None:
    versions = [
        avro.schema.parse(path.read_text(encoding="utf-8"))
        for path in sorted((SCHEMAS / event_class.SCHEMA).glob("v*.avsc"))
    ]
    assert versions
    for reader, writer in [*permutations(versions, 2), (versions[0], versions[0])]:
        assert compatible(reader, writer)


def compatible(reader: avro.schema.Schema, writer: avro.schema.Schema) -> bool:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # avro leaves it untyped
    found = checker.get_compatibility(reader, writer)
    return bool(found.compatibility is SchemaCompatibilityType.compatible)


def test_the_check_refuses_an_incompatible_change() -> None:
    text = (SCHEMAS / "job_status" / "v1.avsc").read_text(encoding="utf-8")
    released, changed = json.loads(text), json.loads(text)
    changed["fields"].append({"name": "must", "type": "string", "doc": "No default: old events lack it."})
    old, new = avro.schema.parse(json.dumps(released)), avro.schema.parse(json.dumps(changed))
    assert not compatible(new, old)
    changed["fields"][-1]["default"] = ""
    assert compatible(avro.schema.parse(json.dumps(changed)), old)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_every_example_round_trips(path: Path) -> None:
    event_class = next(one for one in BY_TOPIC.values() if path.parts[-3] == one.SCHEMA)
    event = event_class.model_validate_json(path.read_bytes())
    release = codec.released()
    assert release.read(release.write(event), release.written(event_class)) == event
    said = json.loads(path.read_text(encoding="utf-8"))
    assert {name: value for name, value in json.loads(event.model_dump_json()).items() if name in said} == said
    schema = json.loads((SCHEMAS / event_class.SCHEMA / f"{path.parts[-2]}.avsc").read_text(encoding="utf-8"))
    assert {field["name"] for field in schema["fields"]} == set(said)


def test_events_of_an_older_version_are_read_with_what_they_lack_defaulted() -> None:
    release = codec.released()
    event = AudioUploaded.model_validate_json(
        (SCHEMAS / "examples/audio_uploaded/v2/language_by_ear.json").read_bytes()
    )
    [first] = [one for one in codec.released_schemas().values() if (one.event, one.version) == ("audio_uploaded", 1)]
    body = io.BytesIO()
    fastavro.schemaless_writer(body, first.parsed, event.model_dump(mode="python"))

    assert release.read(body.getvalue(), first) == event.model_copy(update={"languages": ()})


def test_every_event_has_examples() -> None:
    assert {path.parts[-3] for path in EXAMPLES} == {one.SCHEMA for one in BY_TOPIC.values()}


@pytest.mark.parametrize("event_class", BY_TOPIC.values(), ids=lambda one: one.SCHEMA)
def test_class_and_schema_name_the_same_fields(event_class: type[Event]) -> None:
    schema = json.loads((SCHEMAS / event_class.SCHEMA / f"v{event_class.VERSION}.avsc").read_text(encoding="utf-8"))
    assert {field["name"] for field in schema["fields"]} == set(event_class.model_fields) - event_class.DERIVED
    assert all(field["doc"] for field in schema["fields"])


def test_no_event_carries_what_names_people() -> None:
    telling = {"operator", "customer", "customer_number", "phone", "name", "text", "file_name", "metadata"}
    named = {
        name for path in SCHEMAS.glob("*/v*.avsc") for name in field_names(json.loads(path.read_text(encoding="utf-8")))
    }
    assert {
        "job_id",
        "media_type",
        "vad_ms",
        "sha256",
    } <= named  # fields of an event, and of records, unions, arrays in it
    assert not telling & named


def field_names(schema: object) -> Iterator[str]:
    """The fields of a schema at any depth."""
    if isinstance(schema, list):
        for branch in schema:
            yield from field_names(branch)
    elif isinstance(schema, dict):
        for field in schema.get("fields", ()):
            yield field["name"]
            yield from field_names(field["type"])
        for inner in ("type", "items", "values"):
            yield from field_names(schema.get(inner))
