"""Fault 22 of docs/chaos.md: two releases side by side, schema versions 1 and 2 on the same topic. Nothing is put aside, nothing is lost."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import pytest

from pipeline.contracts.events import AudioUploaded
from pipeline.stream.kafka import KafkaProducer
from pipeline.stream.ports import Message
from pipeline.stream.registry import ConfluentRegistry
from pipeline.stream.schema_registry import SchemaRegistry
from pipeline.stream.wire import Wire
from pipeline.testing import samples
from pipeline.testing.waiting import eventually
from razgovor.peers import RegistryServer
from tests.integration.pipeline.stream.reading import Group, put_aside
from tests.integration.pipeline.stream.releases import (
    AudioUploadedV2,
    CautiousAudioUploaded,
    event_v2,
    next_release,
    register,
)
from tests.integration.pipeline.stream.secured import SecuredKafka

pytestmark = pytest.mark.peers

COUNT = 50
OLD = [f"old-{number}" for number in range(COUNT)]
NEW = [f"new-{number}" for number in range(COUNT)]


def publish(kafka: SecuredKafka, wire: Wire, events: list[AudioUploaded]) -> None:
    producer = KafkaProducer(kafka.open)
    for event in events:
        producer.publish([wire.encode(event)])
    producer.close()


def read_by_all(
    kafka: SecuredKafka, writers: dict[str, Wire], readers: list[Wire], new: list[AudioUploaded]
) -> list[Group]:
    """A group for each reader and one of all of them, while writers of both releases write."""
    groups = [Group(kafka.open, f"group-{uuid.uuid4()}") for _ in range(len(readers) + 1)]
    for group in groups:
        group.begin_here()
    old = [samples.audio_uploaded(job_id) for job_id in OLD]
    writing = [
        threading.Thread(target=publish, args=(kafka, writers["old"], old)),
        threading.Thread(target=publish, args=(kafka, writers["new"], new)),
    ]
    *alone, mixed = groups
    with alone[0].member(readers[0]), alone[1].member(readers[1]), mixed.member(readers[0]), mixed.member(readers[1]):
        for thread in writing:
            thread.start()
        for thread in writing:
            thread.join(60)
        eventually(lambda: all(group.unread() == 0 for group in groups), deadline_s=60)
    return groups


def check(kafka: SecuredKafka, groups: list[Group]) -> None:
    for group in groups:
        assert {event.job_id for event in group.handled} == {*OLD, *NEW}
        messages: list[Message] = put_aside(kafka.open, group.name)
        assert messages == []


def test_with_a_registry_both_versions_are_written_and_read_by_both_releases(
    kafka: SecuredKafka, own_registry: RegistryServer, registry_at: Callable[[RegistryServer], ConfluentRegistry]
) -> None:
    def registry() -> SchemaRegistry:
        return registry_at(own_registry)

    register(registry_at(own_registry))
    writers = {"old": Wire(registry()), "new": Wire(registry(), next_release())}
    readers = [Wire(registry()), Wire(registry(), next_release())]
    groups = read_by_all(kafka, writers, readers, [event_v2(job_id) for job_id in NEW])
    check(kafka, groups)
    by_old, by_new, _mixed = groups
    assert {type(event) for event in by_old.handled} == {AudioUploaded}
    assert {(event.job_id[:3], getattr(event, "diarise", None)) for event in by_new.handled} == {
        ("old", False),
        ("new", True),
    }


def test_without_a_registry_the_next_release_reads_version_2_and_still_writes_version_1(kafka: SecuredKafka) -> None:
    cautious = next_release(CautiousAudioUploaded)
    writers = {"old": Wire(), "new": Wire(release=cautious)}
    readers = [Wire(), Wire(release=cautious)]
    new: list[AudioUploaded] = [CautiousAudioUploaded(**event_v2(job_id).model_dump()) for job_id in NEW]
    check(kafka, read_by_all(kafka, writers, readers, new))


def test_after_that_the_release_after_it_may_write_version_2(kafka: SecuredKafka) -> None:
    writers = {"old": Wire(release=next_release(CautiousAudioUploaded)), "new": Wire(release=next_release())}
    readers = [Wire(release=next_release(CautiousAudioUploaded)), Wire(release=next_release(AudioUploadedV2))]
    groups = read_by_all(kafka, writers, readers, [event_v2(job_id) for job_id in NEW])
    check(kafka, groups)
