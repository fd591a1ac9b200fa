"""What a client's settings may be. Pure; called before anything is kept, by `admin`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pipeline.contracts.glossary import is_glossary_id
from pipeline.outbound import Allowed, UrlNotAllowed, destination, literal
from services.ingest.clients import (
    AUTO,
    DIRECTIONS,
    FORMATS,
    LOCALES,
    ROLES,
    Client,
    is_client_id,
)
from services.ingest.priorities import PRIORITIES
from services.ingest.sources import is_source
from services.ingest.texts import storable

MAX_NAME: Final = 200
MAX_LANGUAGES: Final = 100
MAX_SOURCES: Final = 100
#: A hundred years of audio a day, or of days: far beyond any use, and far from an overflow.
MAX_LIMIT: Final = 50_000_000
MAX_REQUESTS_PER_MINUTE: Final = 600_000
#: Of what form a webhook is. Its port is looked at when something is sent: the operator may allow more by then.
_WEBHOOKS: Final = Allowed(ports=frozenset(range(1, 65_536)))
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")


def check(client: Client) -> None:
    """Refuse what no client may be.

    Raises:
        ValueError: Names the first setting at fault, and what it must be.
    """
    for setting, fault in _faults(client):
        raise ValueError(f"{setting}: {fault}")


def check_webhook(client: Client, allowed: Allowed) -> None:
    """Refuse a webhook to a number that nothing may be sent to. A name is looked at whenever it is resolved.

    Args:
        client: One that passed `check`.
        allowed: Where requests of ours may go.

    Raises:
        ValueError: Names setting and code.
    """
    if client.webhook_url is None:
        return
    address = literal(destination(client.webhook_url, _WEBHOOKS).host)
    if address is not None and not allowed.permits(address):
        raise ValueError("webhook: url_not_allowed: not a public address, nor in INGEST_OUTBOUND_NETWORKS")


def _faults(client: Client) -> Iterator[tuple[str, str]]:
    if not is_client_id(client.client_id):
        yield "client", "a client's name is 1 to 64 of A-Z a-z 0-9 . _ -"
    if not 1 <= len(client.name) <= MAX_NAME or storable(client.name) != client.name:
        yield "name", f"1 to {MAX_NAME} characters"
    yield from _channel_faults(client)
    yield from _language_faults(client)
    if client.locale not in LOCALES:
        yield "locale", _one_of(LOCALES)
    if not client.formats or not _distinct_out_of(client.formats, FORMATS):
        yield "formats", f"each once, out of {', '.join(FORMATS)}"
    if client.glossary_id is not None and not is_glossary_id(client.glossary_id):
        yield "glossary", "an id as `razgovor glossary add` prints it: name@hash"
    if client.priority_ceiling not in PRIORITIES:
        yield "priority ceiling", _one_of(PRIORITIES)
    yield from _limit_faults(client)
    if client.webhook_url is not None and not _is_https(client.webhook_url):
        yield "webhook", "an https:// address without user, password and fragment"
    if len(client.sources) > MAX_SOURCES or not all(is_source(source) for source in client.sources):
        yield "sources", f"at most {MAX_SOURCES} of s3://bucket/ or s3://bucket/prefix/"


def _channel_faults(client: Client) -> Iterator[tuple[str, str]]:
    for direction, roles in client.channel_map.items():
        if direction not in DIRECTIONS:
            yield "channels", f"a direction is {_one_of(DIRECTIONS)}"
        if not roles or not _distinct_out_of(roles, ROLES):
            yield "channels", f"each once, out of {', '.join(ROLES)}"


def _language_faults(client: Client) -> Iterator[tuple[str, str]]:
    if client.language != AUTO and not _LANGUAGE.fullmatch(client.language):
        yield "language", f"a code like ru, or {AUTO}"
    if len(client.languages) > MAX_LANGUAGES or len(set(client.languages)) != len(client.languages):
        yield "languages", f"each once, at most {MAX_LANGUAGES}"
    if not all(_LANGUAGE.fullmatch(language) for language in client.languages):
        yield "languages", "codes like ru"


def _limit_faults(client: Client) -> Iterator[tuple[str, str]]:
    limits = {
        "daily minutes": client.quota.daily_minutes,
        "monthly minutes": client.quota.monthly_minutes,
        "concurrent jobs": client.quota.concurrent_jobs,
        "audio retention": client.retention.audio_days,
        "transcript retention": client.retention.transcript_days,
    }
    for name, limit in limits.items():
        if limit is not None and not 1 <= limit <= MAX_LIMIT:
            yield name, f"1 to {MAX_LIMIT}, or none"
    rate = client.requests_per_minute
    if rate is not None and not 1 <= rate <= MAX_REQUESTS_PER_MINUTE:
        yield "requests per minute", f"1 to {MAX_REQUESTS_PER_MINUTE}, or none"


def _is_https(url: str) -> bool:
    try:
        destination(url, _WEBHOOKS)
    except UrlNotAllowed:
        return False
    return True


def _distinct_out_of(items: tuple[str, ...], allowed: tuple[str, ...]) -> bool:
    return len(set(items)) == len(items) and set(items) <= set(allowed)


def _one_of(allowed: tuple[str, ...]) -> str:
    return f"one of {', '.join(allowed)}"
