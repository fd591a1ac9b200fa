from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pipeline.contracts import ids, states
from pipeline.contracts.events import SourceObject
from pipeline.contracts.reasons import catalogue, reason_text
from pipeline.errors import Transient
from pipeline.stream import wire
from pipeline.testing import samples
from services.ingest.clients import Client, Quota
from tests.unit.ingest.calls.world import ACME, AUDIO, World

ELSEWHERE = [
    SourceObject(bucket="rival-calls", key="2026/a.wav"),
    SourceObject(bucket="acme-calls", key="2025/a.wav"),
    SourceObject(bucket="acme-calls", key="2026"),
    SourceObject(bucket="acme-calls", key="2026/../2025/a.wav"),
    SourceObject(bucket="acme-calls", key="2026//a.wav"),
    SourceObject(bucket="acme-calls", key="2026/\x00.wav"),
    SourceObject(bucket="acme-calls", key=""),
    SourceObject(bucket="../acme-calls", key="2026/a.wav"),
    SourceObject(bucket="", key="2026/a.wav"),
]


def test_a_client_that_there_is_not_is_answered() -> None:
    world = World()
    event = world.recorded(client_id="nobody")
    world.carry(event)
    refused = world.refused()
    assert (refused.state, refused.stage, refused.reason) == (states.FAILED, "ingest", "no_such_client")
    assert (refused.client_id, refused.call_id, refused.run) == ("nobody", "call-event-1", 1)
    assert refused.job_id == ids.job_of_event("nobody", "event-1")
    assert refused.accepted_at == event.recorded_at
    assert refused.details == {"call_recorded_event_id": "event-1"}


@pytest.mark.parametrize("audio", ELSEWHERE)
def test_a_recording_outside_of_the_clients_buckets_and_prefixes_is_refused_unread(audio: SourceObject) -> None:
    world = World()
    world.sources.objects[audio.bucket, audio.key] = AUDIO
    world.carry(samples.call_recorded(audio=audio))
    assert world.refused().reason == "source_not_allowed"
    assert world.keys() == []


def test_what_names_people_may_not_lie_elsewhere_either() -> None:
    world = World()
    world.carry(world.recorded(call_info_key="2025/who.json"))
    assert world.refused().reason == "source_not_allowed"


def test_a_client_without_sources_may_name_nothing() -> None:
    world = World(Client(client_id="acme", name="Acme"))
    world.carry(world.recorded())
    assert world.refused().reason == "source_not_allowed"


def test_an_object_that_is_not_there_is_answered() -> None:
    world = World()
    world.carry(world.recorded(audio=None))
    assert world.refused().reason == "source_missing"


@pytest.mark.parametrize(
    "wanted",
    [
        SourceObject(bucket="acme-calls", key="2026/a.wav", sha256="0" * 64),
        SourceObject(bucket="acme-calls", key="2026/a.wav", size_bytes=len(AUDIO) - 1),
        SourceObject(bucket="acme-calls", key="2026/a.wav", sha256="no hash at all"),
    ],
)
def test_another_recording_than_was_said_is_refused_and_leaves_nothing(wanted: SourceObject) -> None:
    world = World()
    world.sources.objects["acme-calls", "2026/a.wav"] = AUDIO
    world.carry(samples.call_recorded(audio=wanted))
    assert world.refused().reason == "source_mismatch"
    assert world.keys() == []


@pytest.mark.parametrize(
    ("audio", "reason", "details"),
    [
        (b"", "empty_file", {}),
        (AUDIO + bytes(100_000), "too_large", {"limit_bytes": "100000"}),
        (b"%PDF-1.7 and so on", "unsupported_media", {"detected": "application/pdf"}),
    ],
)
def test_what_no_upload_could_be_is_refused_by_the_same_code(
    audio: bytes, reason: str, details: dict[str, str]
) -> None:
    world = World()
    world.carry(world.recorded(audio=audio))
    refused = world.refused()
    assert refused.reason == reason
    assert details.items() <= refused.details.items()
    assert world.keys() == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"direction": "sideways"}, "direction"),
        ({"language": "xx"}, "language"),
        ({"channel_roles": ("operator", "operator")}, "channels"),
        ({"formats": ("docx",)}, "formats"),
        ({"priority": "now"}, "priority"),
        ({"codec": "alaw"}, "sample_rate_hz"),
        ({"started_at": samples.ACCEPTED_AT + timedelta(days=365 * 200)}, "started_at"),
    ],
)
def test_a_field_that_no_upload_may_have_is_refused_and_named(fields: dict[str, Any], field: str) -> None:
    world = World()
    world.carry(world.recorded(**fields))
    refused = world.refused()
    assert (refused.reason, refused.details["field"]) == ("invalid_field", field)


@pytest.mark.parametrize(
    "said",
    [b"", b"[]", b"{", b'{"name": "x"}', b'{"operator": 1}', b'{"operator": "' + b"x" * 70_000 + b'"}', b"[" * 9999],
)
def test_a_document_of_people_that_is_none_is_refused(said: bytes) -> None:
    world = World()
    world.sources.objects["acme-calls", "2026/who.json"] = said
    world.carry(world.recorded(call_info_key="2026/who.json"))
    refused = world.refused()
    assert (refused.reason, refused.details["field"]) == ("invalid_field", "call_info_key")
    assert world.rows.submissions == {}


def test_a_spent_quota_is_answered_with_its_figures_and_leaves_nothing() -> None:
    world = World(Client(client_id="acme", name="Acme", sources=ACME.sources, quota=Quota(daily_minutes=1)))
    world.rows.billed.append(("acme", world.rows._clock(), 60_000))
    world.carry(world.recorded())
    refused = world.refused()
    assert refused.reason == "quota_exceeded"
    assert (refused.details["period"], refused.details["limit_minutes"]) == ("day", "1")
    assert "?" not in reason_text("quota_exceeded", refused.details, "ru")
    assert world.keys() == []


def test_a_refused_event_gets_the_same_answer_for_ever_and_another_event_of_the_call_a_try_of_its_own() -> None:
    world = World()
    event = world.recorded(audio=None)
    world.carry(event)
    world.recorded()  # now the recording is there
    world.carry(event)
    first, second = world.told()
    assert first == second
    assert world.rows.submissions == {}
    world.carry(world.recorded("event-2", call_id=event.call_id))
    assert [submission.call_id for submission, _ in world.rows.submissions.values()] == [event.call_id]


def test_an_object_that_never_comes_while_others_do_goes_to_the_dlq_and_a_replay_is_a_new_run() -> None:
    world = World()
    event = world.recorded()
    message = world.lay(event)
    world.sources.fail = Transient("this object alone")
    assert world.taken(message) == 3
    refused = world.refused()
    assert (refused.reason, refused.run) == ("dependency_failed", 1)
    (letter,) = world.put_aside()
    assert letter.value == message.value
    world.sources.fail = None
    world.take(message)
    (submission, _) = world.rows.submissions[event.job_id]
    assert submission.run == 2
    assert world.told() == [refused]


def test_a_second_failure_that_is_ours_is_told_as_another_run() -> None:
    world = World()
    message = world.lay(world.recorded())
    world.sources.fail = Transient("this object alone")
    world.taken(message)
    world.taken(message)
    assert sorted((event.run, event.reason) for event in world.told()) == [
        (1, "dependency_failed"),
        (2, "dependency_failed"),
    ]


def test_a_call_that_is_refused_while_it_was_accepted_elsewhere_stays_accepted() -> None:
    world = World()
    event = world.recorded(audio=None)
    other = World()
    other.carry(other.recorded())

    # Another worker with the same record is through while this one looks for the recording.
    world.sources.on_open = lambda: world.rows.submissions.update(other.rows.submissions)
    world.carry(event)
    assert world.told() == []
    assert event.job_id in world.rows.submissions


@pytest.mark.parametrize("value", [b"", b"\xc3\x01", b"{}", b"\x00\x00\x00\x00\x01abc"])
def test_what_is_no_event_goes_to_the_dlq_and_nobody_is_told(value: bytes) -> None:
    world = World()
    world.carry(value)
    assert [letter.value for letter in world.put_aside()] == [value]
    assert world.told() == []


def test_an_event_of_another_kind_goes_to_the_dlq() -> None:
    world = World()
    world.carry(wire.encode(samples.audio_uploaded()).value or b"")
    (letter,) = world.put_aside()
    assert letter.header("razgovor.reason") == b"unexpected_event"


@pytest.mark.parametrize(
    "ids_",
    [{"event_id": ""}, {"event_id": "a b"}, {"client_id": "a/b"}, {"call_id": "+7 900"}, {"client_id": "x" * 65}],
)
def test_an_event_whose_ids_can_be_none_is_no_event(ids_: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="pattern"):
        samples.call_recorded(**ids_)


def test_every_reason_that_is_told_of_a_call_is_in_the_catalogue() -> None:
    told = {
        "no_such_client",
        "source_not_allowed",
        "source_missing",
        "source_denied",
        "source_mismatch",
        "empty_file",
        "too_large",
        "unsupported_media",
        "invalid_field",
        "quota_exceeded",
    }
    assert told <= set(catalogue())
