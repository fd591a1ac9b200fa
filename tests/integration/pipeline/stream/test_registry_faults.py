"""Fault 13 of docs/chaos.md: corrupt records go to the DLQ with their reason; a registry that is away or was built anew loses nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest

from pipeline.contracts import codec
from pipeline.contracts.events import AudioUploaded
from pipeline.errors import Fatal, Unavailable
from pipeline.stream.connection import KafkaConnection, RegistryConnection
from pipeline.stream.kafka import KafkaProducer
from pipeline.stream.ports import Record
from pipeline.stream.registry import ConfluentRegistry, wire_at
from pipeline.stream.wire import Wire
from pipeline.testing import samples
from pipeline.testing.waiting import eventually
from razgovor.peers import RegistryServer
from tests.integration.pipeline.stream.reading import TOPIC, Group, put_aside
from tests.integration.pipeline.stream.releases import event_v2, next_release, register
from tests.integration.pipeline.stream.secured import SecuredKafka

pytestmark = pytest.mark.peers

RegistryAt: TypeAlias = Callable[[RegistryServer], ConfluentRegistry]
WireAt: TypeAlias = Callable[[RegistryServer], Wire]


@pytest.fixture
def connection(kafka: SecuredKafka) -> KafkaConnection:
    return kafka.open


@pytest.fixture
def producer(connection: KafkaConnection) -> Iterator[KafkaProducer]:
    producer = KafkaProducer(connection)
    yield producer
    producer.close()


@pytest.fixture
def group(connection: KafkaConnection) -> Group:
    group = Group(connection, f"group-{uuid.uuid4()}")
    group.begin_here()
    return group


@pytest.fixture
def registered(own_registry: RegistryServer, registry_at: RegistryAt) -> RegistryServer:
    register(registry_at(own_registry))
    return own_registry


@pytest.fixture
def wire(registry_at: RegistryAt) -> Callable[[RegistryServer], Wire]:
    return lambda server: Wire(registry_at(server))


def bare(record: Record) -> Record:
    """Without headers, as a stranger may write it."""
    return Record(record.topic, record.key, record.value)


def test_corrupt_records_are_put_aside_with_their_reason_and_the_others_pass(
    registered: RegistryServer, producer: KafkaProducer, group: Group, wire: WireAt
) -> None:
    ours = wire(registered)
    good = ours.encode(samples.audio_uploaded("job-1"))
    value = good.value or b""
    stray = ours.encode(samples.job_status("job-1"))
    corrupt = {
        "bad magic": (Record(TOPIC, good.key, b"\x07" + value[1:], good.headers), "undecodable"),
        "unknown id": (Record(TOPIC, good.key, b"\x00\x7f\xff\xff\xff" + value[5:]), "unknown_schema"),
        "unknown fingerprint": (
            Record(TOPIC, good.key, value, (("razgovor.schema", b"audio_uploaded/9/00000000000000ff"),)),
            "unknown_schema",
        ),
        "truncated": (Record(TOPIC, good.key, value[:-3], good.headers), "undecodable"),
        "truncated head": (Record(TOPIC, good.key, value[:3], ()), "undecodable"),
        "wrong type": (Record(TOPIC, good.key, stray.value, good.headers), "undecodable"),
        "another event": (Record(TOPIC, good.key, stray.value, stray.headers), "unexpected_event"),
        "tombstone": (Record(TOPIC, good.key, None, good.headers), "undecodable"),
    }
    last = ours.encode(samples.audio_uploaded("job-1", run=2))
    with group.member(wire(registered)):
        producer.publish([good, *(record for record, _reason in corrupt.values()), last])
        eventually(lambda: group.unread() == 0)
    assert sorted(event.run for event in group.handled) == [1, 2]
    aside = {(message.value, message.header("razgovor.reason")) for message in put_aside(group.connection, group.name)}
    assert aside == {(record.value, reason.encode()) for record, reason in corrupt.values()}


def test_a_registry_that_is_away_holds_up_what_it_alone_can_explain_and_nothing_is_put_aside(
    registered: RegistryServer, producer: KafkaProducer, group: Group, wire: WireAt, registry_at: RegistryAt
) -> None:
    ours = wire(registered)
    unexplained = bare(ours.encode(samples.audio_uploaded("job-held-up")))
    newer = Wire(registry_at(registered), next_release()).encode(event_v2("job-newer"))
    registered.pause()
    try:
        with group.member(wire(registered)):
            producer.publish([unexplained, newer])
            producer.publish([ours.encode(samples.audio_uploaded(f"job-{number}")) for number in range(20)])
            eventually(lambda: len(group.handled) == 20)
            assert group.unread() >= 2
            registered.resume()
            eventually(lambda: group.unread() == 0, deadline_s=60)
    finally:
        registered.resume()
    assert {event.job_id for event in group.handled} == {
        "job-held-up",
        "job-newer",
        *(f"job-{number}" for number in range(20)),
    }
    assert put_aside(group.connection, group.name) == []


def test_with_a_registry_that_was_built_anew_with_other_ids_nothing_is_misread(
    registered: RegistryServer, producer: KafkaProducer, group: Group, wire: WireAt, registry_at: RegistryAt
) -> None:
    ours = wire(registered)
    ours.verify()
    text = codec.released().written(AudioUploaded).text
    before = registry_at(registered).id_of(f"{TOPIC}-value", text)
    old = ours.encode(samples.audio_uploaded("job-old"))
    old_newer = Wire(registry_at(registered), next_release()).encode(event_v2("job-old-newer"))
    registered.kill()
    registered.start()
    register(registry_at(registered), newest_first=True)
    assert registry_at(registered).id_of(f"{TOPIC}-value", text) != before
    new = wire(registered).encode(samples.audio_uploaded("job-new"))
    by_id_alone = bare(wire(registered).encode(samples.audio_uploaded("job-by-id")))
    still_running = ours.encode(samples.audio_uploaded("job-still"))
    with group.member(wire(registered)):
        producer.publish([old, old_newer, new, by_id_alone, still_running])
        eventually(lambda: group.unread() == 0, deadline_s=60)
    wanted = {"job-old", "job-old-newer", "job-new", "job-by-id", "job-still"}
    assert {event.job_id for event in group.handled} == wanted
    assert all(event == samples.audio_uploaded(event.job_id) for event in group.handled)
    assert put_aside(group.connection, group.name) == []


def test_a_registry_that_is_gone_is_said_to_be_unavailable_and_known_ids_go_on(
    registered: RegistryServer, wire: WireAt
) -> None:
    ours = wire(registered)
    record = ours.encode(samples.audio_uploaded())
    registered.kill()
    try:
        assert ours.encode(samples.audio_uploaded()) == record
        with pytest.raises(Unavailable, match="schema registry"):
            ours.encode(samples.job_status())
        with pytest.raises(Unavailable, match="schema registry"):
            wire(registered).verify()
    finally:
        registered.start()
    with pytest.raises(Unavailable, match="run `razgovor topics apply`"):
        wire(registered).verify()


def test_what_is_no_registry_is_unavailable_and_a_wrong_file_is_fatal(registered: RegistryServer) -> None:
    url = registered.url.replace("/apis/ccompat/v7", "/nowhere")
    with closing(ConfluentRegistry(RegistryConnection(url=url))) as nothing, pytest.raises(Unavailable):
        Wire(nothing).verify()
    with pytest.raises(Fatal, match="schema_registry_ca_file"):
        wire_at(RegistryConnection(url="https://127.0.0.1:1", ca_file=Path("/nowhere/ca.pem")))
