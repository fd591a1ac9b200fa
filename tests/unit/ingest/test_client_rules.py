"""What a client's settings may be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.ingest.client_rules import MAX_LIMIT, check
from services.ingest.clients import Client, Quota, Retention

ACME = Client(client_id="acme", name="Acme")


@pytest.mark.parametrize(
    ("wanted", "setting"),
    [
        (replace(ACME, client_id="a/b"), "client"),
        (replace(ACME, name=""), "name"),
        (replace(ACME, name="a\0b"), "name"),
        (replace(ACME, name="x" * 201), "name"),
        (replace(ACME, channel_map={"up": ("operator",)}), "channels"),
        (replace(ACME, channel_map={"any": ("boss",)}), "channels"),
        (replace(ACME, channel_map={"any": ("operator", "operator")}), "channels"),
        (replace(ACME, channel_map={"any": ()}), "channels"),
        (replace(ACME, language="Russian"), "language"),
        (replace(ACME, languages=("ru", "ru")), "languages"),
        (replace(ACME, languages=("auto",)), "languages"),
        (replace(ACME, locale="de"), "locale"),
        (replace(ACME, formats=()), "formats"),
        (replace(ACME, formats=("pdf",)), "formats"),
        (replace(ACME, glossary_id="../x"), "glossary"),
        (replace(ACME, priority_ceiling="now"), "priority ceiling"),
        (replace(ACME, quota=Quota(daily_minutes=0)), "daily minutes"),
        (replace(ACME, quota=Quota(monthly_minutes=MAX_LIMIT + 1)), "monthly minutes"),
        (replace(ACME, quota=Quota(concurrent_jobs=-1)), "concurrent jobs"),
        (replace(ACME, retention=Retention(audio_days=0)), "audio retention"),
        (replace(ACME, retention=Retention(transcript_days=0)), "transcript retention"),
        (replace(ACME, requests_per_minute=0), "requests per minute"),
        (replace(ACME, webhook_url="http://acme.example"), "webhook"),
        (replace(ACME, webhook_url="file:///etc/passwd"), "webhook"),
        (replace(ACME, webhook_url="https://user:word@acme.example"), "webhook"),
        (replace(ACME, webhook_url="https://"), "webhook"),
        (replace(ACME, webhook_url="https://acme.example:0/"), "webhook"),
        (replace(ACME, webhook_url="https://acme.example:x/"), "webhook"),
        (replace(ACME, webhook_url="https://[::1/"), "webhook"),
        (replace(ACME, webhook_url="https://acme.example/\nx"), "webhook"),
    ],
)
def test_what_no_client_may_be_is_refused_by_name(wanted: Client, setting: str) -> None:
    with pytest.raises(ValueError, match=f"^{setting}: "):
        check(wanted)


def test_a_client_may_leave_everything_as_it_comes_or_say_it_all() -> None:
    check(ACME)
    check(
        replace(
            ACME,
            channel_map={"inbound": ("operator", "customer"), "any": ("customer",)},
            language="auto",
            languages=("ru", "kk"),
            glossary_id="bank@0123456789ab",
            retention=Retention(audio_days=1, transcript_days=MAX_LIMIT),
            quota=Quota(daily_minutes=1, monthly_minutes=2, concurrent_jobs=3),
            requests_per_minute=1,
            priority_ceiling="bulk",
            webhook_url="https://acme.example:8443/hook?a=b",
        )
    )


def test_what_asks_for_more_than_the_ceiling_gets_the_ceiling() -> None:
    client = replace(ACME, priority_ceiling="normal")
    assert [client.priority(wanted) for wanted in ("interactive", "normal", "bulk")] == ["normal", "normal", "bulk"]
    assert ACME.priority("interactive") == "interactive"
