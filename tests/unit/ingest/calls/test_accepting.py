from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipeline.contracts import ids, layout
from pipeline.contracts.call_info import CallInfo
from pipeline.contracts.events import SourceObject
from pipeline.errors import Transient
from pipeline.testing import samples
from services.ingest.clients import Client
from services.ingest.ports import OutcomeUnknown
from services.ingest.sources import SourceAway
from tests.unit.ingest.calls.world import ACME, AUDIO, SHA256, World


def test_a_recorded_call_becomes_the_job_that_an_upload_would_be() -> None:
    world = World()
    event = world.recorded()
    world.carry(event)
    submission, _accepted_at = world.rows.submissions[ids.job_of_event("acme", "event-1")]
    assert (submission.client_id, submission.call_id, submission.run) == ("acme", "call-event-1", 1)
    assert (submission.audio.sha256, submission.audio.size_bytes) == (SHA256, len(AUDIO))
    assert (submission.audio.media_type, submission.audio.declared_duration_ms) == ("audio/wav", 1000)
    assert world.store.read(layout.audio_key(event.job_id)) == AUDIO
    assert [row.announcement.event.job_id for row in world.rows.outbox.values()] == [event.job_id]
    assert world.wakes == 1
    assert world.told() == []


def test_what_the_event_says_is_taken_and_what_it_does_not_say_is_the_clients() -> None:
    world = World(Client(client_id="acme", name="Acme", locale="en", formats=("txt",), sources=ACME.sources))
    began = datetime(2026, 11, 23, 9, 28, tzinfo=UTC)
    world.carry(
        world.recorded(started_at=began, direction="inbound", channel_roles=("customer", "operator"), priority="bulk")
    )
    (submission, _) = next(iter(world.rows.submissions.values()))
    assert (submission.call_info.started_at, submission.call_info.direction) == (began, "inbound")
    assert (submission.channel_roles, submission.priority) == (("customer", "operator"), "bulk")
    assert (submission.locale, submission.formats) == ("en", ("txt",))


def test_what_names_people_comes_out_of_the_clients_own_bucket() -> None:
    world = World()
    said = {"operator": "Анна К.", "customer_number": "+7 900", "queue": None, "metadata": {"campaign": "winter"}}
    world.sources.objects["acme-calls", "2026/who.json"] = json.dumps(said).encode()
    event = world.recorded(call_info_key="2026/who.json")
    world.carry(event)
    call = CallInfo.from_bytes(world.store.read(layout.call_info_key(event.job_id)))
    assert (call.operator, call.customer_number, call.queue) == ("Анна К.", "+7 900", None)
    assert call.metadata == {"campaign": "winter"}
    assert call.file_name == "event-1.wav"


def test_a_recording_without_a_header_is_taken_as_the_event_describes_it() -> None:
    world = World()
    world.carry(world.recorded(audio=b"\xd5" * 8000, codec="alaw", sample_rate_hz=8000, channel_count=1))
    (submission, _) = next(iter(world.rows.submissions.values()))
    assert submission.audio.media_type == "audio/pcma;rate=8000;channels=1"


def test_the_same_event_twice_is_one_job_and_its_recording_stays() -> None:
    world = World()
    event = world.recorded()
    message = world.lay(event)
    world.take(message)
    world.take(message)
    world.carry(event)
    assert len(world.rows.submissions) == len(world.rows.outbox) == 1
    assert world.keys() == [layout.audio_key(event.job_id), layout.call_info_key(event.job_id)]
    assert world.told() == []


def test_events_of_two_clients_with_one_id_are_two_jobs() -> None:
    other = Client(client_id="other", name="Other", sources=("s3://other-calls/",))
    world = World(ACME, other)
    world.carry(world.recorded("1"))
    theirs = SourceObject(bucket="other-calls", key="1.wav")
    world.sources.objects["other-calls", "1.wav"] = AUDIO
    world.carry(samples.call_recorded("1", client_id="other", audio=theirs))
    assert {submission.client_id for submission, _ in world.rows.submissions.values()} == {"acme", "other"}


def test_a_call_waits_for_the_store_of_sources_as_long_as_it_takes() -> None:
    world = World()
    message = world.lay(world.recorded())
    world.sources.fail = SourceAway("away")
    for _ in range(20):
        with pytest.raises(Transient):
            world.take(message)
    world.sources.fail = None
    world.take(message)
    assert len(world.rows.submissions) == 1
    assert not world.told()
    assert not world.put_aside()


def test_a_call_waits_for_the_database_and_what_was_copied_is_copied_again() -> None:
    world = World()
    message = world.lay(world.recorded())
    world.rows.fail_submit = OutcomeUnknown("lost in commit")

    def heal() -> None:
        world.rows.fail_submit = None

    assert world.taken(message, meanwhile=heal) <= 2
    assert len(world.rows.submissions) == 1
    assert world.told() == []
