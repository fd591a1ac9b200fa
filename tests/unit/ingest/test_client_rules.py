"""What a client's settings may be."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest

from pipeline.outbound import Allowed
from services.ingest.client_rules import MAX_LIMIT, check, check_webhook
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
        (replace(ACME, webhook_url="https://acme.example/\\x"), "webhook"),
        (replace(ACME, webhook_url="https://acme.example/#x"), "webhook"),
        (replace(ACME, webhook_url=f"https://acme.example/{'a' * 2000}"), "webhook"),
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


INWARD = (
    "169.254.169.254",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "2130706433",
    "0x7f000001",
    "0177.1",
    "127.1",
    "[fd00:ec2::254]",
)


@pytest.mark.parametrize("host", INWARD)
def test_a_webhook_to_a_number_that_is_not_public_is_refused_however_it_is_written(host: str) -> None:
    client = replace(ACME, webhook_url=f"https://{host}/")
    check(client)
    with pytest.raises(ValueError, match=r"^webhook: url_not_allowed: "):
        check_webhook(client, Allowed())


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "134744072", "[2606:4700::1111]", "acme.example", "localhost", "10.1.2.3", "167838211"]
)
def test_a_webhook_may_go_to_what_is_public_or_allowed_and_a_name_is_looked_at_later(host: str) -> None:
    check_webhook(replace(ACME, webhook_url=f"https://{host}/"), Allowed(networks=(ip_network("10.1.0.0/16"),)))
    check_webhook(ACME, Allowed())
