"""A client's settings as texts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from razgovor.commands.client_settings import SETTINGS, parsed, shown
from services.ingest.clients import Client, Quota, Retention

ACME = Client(client_id="acme", name="Acme")
WHOLE = replace(
    ACME,
    name="Ромашка = лучше",
    channel_map={"inbound": ("operator", "customer"), "outbound": ("customer", "operator"), "any": ("customer",)},
    language="auto",
    languages=("ru", "kk"),
    locale="en",
    formats=("xlsx", "txt"),
    glossary_id="bank@0123456789ab",
    retention=Retention(audio_days=30, transcript_days=1000),
    quota=Quota(daily_minutes=600, monthly_minutes=9000, concurrent_jobs=3),
    requests_per_minute=90,
    priority_ceiling="normal",
    webhook_url="https://acme.example/hook?a=b",
)


@pytest.mark.parametrize("client", [ACME, WHOLE], ids=["plain", "whole"])
def test_what_is_shown_can_be_set(client: Client) -> None:
    pairs = [f"{name}={text}" for name, text in shown(client).items()]
    assert len(pairs) == len(SETTINGS)
    assert parsed(pairs)(replace(WHOLE, name="other")) == client


def test_none_takes_a_limit_away_and_leaves_the_rest() -> None:
    changed = parsed(["daily_minutes=none", "channels.any=none"])(WHOLE)
    assert changed.quota == Quota(monthly_minutes=9000, concurrent_jobs=3)
    assert set(changed.channel_map) == {"inbound", "outbound"}


@pytest.mark.parametrize(
    "pair", ["daily_minutes=many", "daily_minutes=-1", "daily_minutes=١", "audio_days=1e3", "concurrent_jobs="]
)
def test_a_number_is_a_whole_number(pair: str) -> None:
    with pytest.raises(ValueError, match="a whole number, or none"):
        parsed([pair])(ACME)


@pytest.mark.parametrize("pairs", [["x=1"], ["name"], ["name=a", "name=b"]])
def test_a_setting_is_known_has_a_value_and_stands_once(pairs: list[str]) -> None:
    with pytest.raises(ValueError, match=r"NAME=VALUE|twice"):
        parsed(pairs)
