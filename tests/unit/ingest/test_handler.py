from __future__ import annotations

from dataclasses import replace
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
    languages = {"ru", "en", "kk"}
    return handler.resolve(
        "j", client, parse_fields(texts, {*languages, "auto"}), AUDIO, file_name="a.wav", languages=languages
    )


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


def test_a_language_that_is_given_is_fixed() -> None:
    submission = resolve(language="kk")
    assert (submission.language, submission.languages) == ("kk", ())


@pytest.mark.parametrize(
    ("own", "languages", "among"),
    [
        ("ru", (), ("ru", "en", "kk")),
        ("ru", ("kk", "ru"), ("ru", "kk")),
        ("ru", ("en",), ("ru", "en")),
        ("ru", ("de",), ("ru", "en", "kk")),
        ("auto", ("kk", "ru"), ("kk", "ru")),
        ("auto", (), ("en", "kk", "ru")),
    ],
)
def test_by_ear_the_clients_languages_are_chosen_among_its_own_first(
    own: str, languages: tuple[str, ...], among: tuple[str, ...]
) -> None:
    submission = resolve(replace(CLIENT, language=own, languages=languages), language="auto")
    assert (submission.language, submission.languages) == (among[0], among)
    assert handler.announcement(submission, ACCEPTED_AT).languages == among


def test_a_client_whose_calls_are_always_told_by_ear_need_not_say_so() -> None:
    submission = resolve(replace(CLIENT, language="auto", languages=("ru", "kk")))
    assert (submission.language, submission.languages) == ("ru", ("ru", "kk"))


def test_the_clients_glossary_is_announced() -> None:
    submission = resolve(replace(CLIENT, glossary_id="tariffs@0123456789ab"))
    assert handler.announcement(submission, ACCEPTED_AT).glossary_id == "tariffs@0123456789ab"


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
