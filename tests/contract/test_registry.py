"""One suite over the fake schema registry and a real one with Confluent's API."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.contracts import codec
from pipeline.contracts.codec import Schema
from pipeline.contracts.events import AudioUploaded, JobStatus
from pipeline.errors import Fatal
from pipeline.stream.connection import RegistryConnection
from pipeline.stream.ports import Message
from pipeline.stream.registry import ConfluentRegistry
from pipeline.stream.schema_registry import MemoryRegistry, SchemaRegistrar
from pipeline.stream.wire import Wire
from pipeline.testing import samples
from razgovor.peers.addresses import RegistryPeer

SCHEMA = codec.released().written(AudioUploaded)
OTHER = codec.released().written(JobStatus)


@pytest.fixture(params=["memory", pytest.param("registry", marks=pytest.mark.peers)])
def registry(request: pytest.FixtureRequest) -> SchemaRegistrar:
    return MemoryRegistry() if request.param == "memory" else request.getfixturevalue("real_registry")


@pytest.fixture
def real_registry(registry_peer: RegistryPeer) -> Iterator[ConfluentRegistry]:
    registry = ConfluentRegistry(RegistryConnection(url=registry_peer.url))
    yield registry
    registry.close()


@pytest.fixture
def subject() -> str:
    return f"test-{uuid.uuid4()}-value"


def next_version(schema: Schema, **field: Any) -> str:
    raw = json.loads(schema.text)
    raw["fields"].append({"name": "added", "type": "string", "doc": "New.", **field})
    return json.dumps(raw)


def test_what_is_not_there_is_nothing(registry: SchemaRegistrar, subject: str) -> None:
    assert registry.id_of(subject, SCHEMA.text) is None
    assert registry.text_of(2_000_000_000) is None
    assert registry.texts_of(subject) == []
    assert registry.guarded(subject) is False


def test_what_is_registered_is_found_by_text_and_by_id(registry: SchemaRegistrar, subject: str) -> None:
    schema_id = registry.register(subject, SCHEMA.text)
    assert registry.register(subject, SCHEMA.text) == schema_id
    assert registry.id_of(subject, SCHEMA.text) == schema_id
    assert registry.guarded(subject) is True
    text = registry.text_of(schema_id)
    assert text is not None
    assert codec.parse_schema("audio_uploaded", 1, text).fingerprint == SCHEMA.fingerprint
    assert registry.id_of(subject, OTHER.text) is None


def test_versions_come_newest_first(registry: SchemaRegistrar, subject: str) -> None:
    newer = next_version(SCHEMA, default="")
    registry.register(subject, SCHEMA.text)
    registry.register(subject, newer)
    marks = [codec.parse_schema("audio_uploaded", 1, text).fingerprint for text in registry.texts_of(subject)]
    assert marks == [codec.parse_schema("audio_uploaded", 2, newer).fingerprint, SCHEMA.fingerprint]


def test_a_wire_writes_and_reads_by_its_ids(registry: SchemaRegistrar, subject: str) -> None:
    topic = subject.removesuffix("-value")
    schema_id = registry.register(subject, SCHEMA.text)
    event = samples.audio_uploaded()
    record = Wire(registry).encode(event, topic=topic)
    assert record.value is not None
    assert record.value.startswith(b"\x00" + schema_id.to_bytes(4, "big"))
    message = Message(topic, 0, 0, record.key, record.value, record.headers, samples.ACCEPTED_AT)
    assert Wire(registry).decode(message) == event


@pytest.mark.peers
def test_a_real_registry_refuses_what_is_not_compatible_with_all_versions(
    real_registry: ConfluentRegistry, subject: str
) -> None:
    registry = real_registry
    registry.register(subject, SCHEMA.text)
    for text in (next_version(SCHEMA), OTHER.text, "no schema"):
        with pytest.raises(Fatal, match="rejects a schema"):
            registry.register(subject, text)
    assert len(registry.texts_of(subject)) == 1
