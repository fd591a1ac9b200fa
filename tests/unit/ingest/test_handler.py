from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.contracts import ids
from pipeline.contracts.call_info import CallInfo
from pipeline.contracts.events import AudioObject, AudioUploaded
from services.ingest import handler
from services.ingest.clients import Client
from services.ingest.fields import parse_fields
from services.ingest.submissions import StoredAudio, Submission

ACCEPTED_AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
AUDIO = StoredAudio(key="jobs/j/audio", sha256="ab", size_bytes=9, media_type="audio/wav", declared_duration_ms=7)
CLIENT = Client(
    client_id="acme",
    name="Acme",
    channel_map={"outbound": ("customer", "operator"), "any": ("operator", "customer")},
    language="ru",
    locale="en",
    formats=("txt",),
)


def resolve(client: Client = CLIENT, **texts: str) -> Submission:
    return handler.resolve("j", client, parse_fields(texts, {"ru"}), AUDIO, file_name="a.wav")


def test_what_the_caller_does_not_say_comes_from_the_client() -> None:
    assert resolve(operator="Анна") == Submission(
        job_id="j",
        run=1,
        client_id="acme",
        call_id="j",
        priority="normal",
        audio=AUDIO,
        call_info=CallInfo(file_name="a.wav", operator="Анна"),
        call_info_key="jobs/j/call.json",
        channel_roles=("operator", "customer"),
        language="ru",
        locale="en",
        formats=("txt",),
    )


@pytest.mark.parametrize(
    ("texts", "roles"),
    [
        ({}, ("operator", "customer")),
        ({"direction": "inbound"}, ("operator", "customer")),
        ({"direction": "outbound"}, ("customer", "operator")),
        ({"direction": "outbound", "channels": "operator,customer"}, ("operator", "customer")),
    ],
)
def test_roles_come_from_the_caller_then_the_direction_then_the_rule(
    texts: dict[str, str], roles: tuple[str, ...]
) -> None:
    assert resolve(CLIENT, **texts).channel_roles == roles


def test_without_any_rule_roles_are_not_known_and_not_guessed() -> None:
    assert resolve(Client(client_id="new", name="New"), direction="inbound").channel_roles == ()


def test_the_event_carries_everything_resolved_and_nobodys_name_or_number() -> None:
    submission = resolve(
        call_id="c-1", operator="Анна", customer_number="+79001234567", queue="q", metadata='{"k": "v"}'
    )
    event = handler.announcement(submission, ACCEPTED_AT)
    assert event == AudioUploaded(
        event_id=ids.event_id("j", 1, "audio.uploaded"),
        job_id="j",
        run=1,
        client_id="acme",
        call_id="c-1",
        accepted_at=ACCEPTED_AT,
        priority="normal",
        audio=AudioObject(
            key="jobs/j/audio", sha256="ab", size_bytes=9, media_type="audio/wav", declared_duration_ms=7
        ),
        call_info_key="jobs/j/call.json",
        channel_roles=("operator", "customer"),
        language="ru",
        locale="en",
        formats=("txt",),
    )
    said = event.model_dump_json()
    assert not any(name in said for name in ("Анна", "79001234567", "a.wav", '"k"'))
