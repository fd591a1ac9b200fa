"""A client's settings as `name=value` texts, as `razgovor clients` takes and shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from services.ingest.clients import DIRECTIONS, Client

NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        means: For people.
        read: The client with this text taken over; raises ValueError if it is none.
        show: The text that stands for what it is.
    """

    means: str
    read: Callable[[Client, str], Client]
    show: Callable[[Client], str]


def _number(text: str) -> int | None:
    if text == NONE:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len("1000000000")):
        raise ValueError(f"a whole number, or {NONE}")
    return int(text)


def _items(text: str) -> tuple[str, ...]:
    return () if text == NONE else tuple(part.strip() for part in text.split(","))


def _text(text: str) -> str | None:
    return None if text == NONE else text


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(value) or NONE
    return NONE if value is None else str(value)


def _with_channels(client: Client, direction: str, text: str) -> Client:
    others = {name: roles for name, roles in client.channel_map.items() if name != direction}
    roles = _items(text)
    return replace(client, channel_map={**others, direction: roles} if roles else others)


def _with_quota(client: Client, name: str, text: str) -> Client:
    return replace(client, quota=replace(client.quota, **{name: _number(text)}))


def _with_retention(client: Client, name: str, text: str) -> Client:
    return replace(client, retention=replace(client.retention, **{name: _number(text)}))


def _channels(direction: str) -> Setting:
    means = "of every call" if direction == "any" else f"of {direction} calls"
    return Setting(
        f"who speaks on each channel {means}: operator,customer",
        lambda client, text: _with_channels(client, direction, text),
        lambda client: _shown(client.channel_map.get(direction)),
    )


def _quota(name: str, means: str) -> Setting:
    return Setting(
        means,
        lambda client, text: _with_quota(client, name, text),
        lambda client: _shown(getattr(client.quota, name)),
    )


def _retention(name: str, means: str) -> Setting:
    return Setting(
        means,
        lambda client, text: _with_retention(client, name, text),
        lambda client: _shown(getattr(client.retention, name)),
    )


SETTINGS: Final = {
    "name": Setting("what people call it", lambda client, text: replace(client, name=text), lambda client: client.name),
    **{f"channels.{direction}": _channels(direction) for direction in DIRECTIONS},
    "language": Setting(
        "what is spoken: ru, or auto",
        lambda client, text: replace(client, language=text),
        lambda client: client.language,
    ),
    "languages": Setting(
        "those that auto chooses from",
        lambda client, text: replace(client, languages=_items(text)),
        lambda client: _shown(client.languages),
    ),
    "locale": Setting(
        "language of exports and reasons: ru or en",
        lambda client, text: replace(client, locale=text),
        lambda client: client.locale,
    ),
    "formats": Setting(
        "exports: txt,vtt,srt,xlsx",
        lambda client, text: replace(client, formats=_items(text)),
        lambda client: _shown(client.formats),
    ),
    "glossary": Setting(
        "id of its glossary",
        lambda client, text: replace(client, glossary_id=_text(text)),
        lambda client: _shown(client.glossary_id),
    ),
    "audio_days": _retention("audio_days", "days that recordings are kept"),
    "transcript_days": _retention("transcript_days", "days that transcripts are kept"),
    "daily_minutes": _quota("daily_minutes", "minutes of audio a day of UTC"),
    "monthly_minutes": _quota("monthly_minutes", "minutes of audio a month of UTC"),
    "concurrent_jobs": _quota("concurrent_jobs", "jobs worked on at once; more wait"),
    "requests_per_minute": Setting(
        "requests a minute, and as many at once",
        lambda client, text: replace(client, requests_per_minute=_number(text)),
        lambda client: _shown(client.requests_per_minute),
    ),
    "priority_ceiling": Setting(
        "the most urgent priority: interactive, normal or bulk",
        lambda client, text: replace(client, priority_ceiling=text),
        lambda client: client.priority_ceiling,
    ),
    "webhook": Setting(
        "https address that is told of ends of jobs",
        lambda client, text: replace(client, webhook_url=_text(text)),
        lambda client: _shown(client.webhook_url),
    ),
    "sources": Setting(
        "where recordings that it names may lie: s3://bucket/prefix/",
        lambda client, text: replace(client, sources=_items(text)),
        lambda client: _shown(client.sources),
    ),
}


def parsed(pairs: Iterable[str]) -> Callable[[Client], Client]:
    """What `name=value` texts make of a client. `none` takes a setting away.

    Raises:
        ValueError: One is none of ours, stands twice or cannot be read; so may the function that is returned.
    """
    wanted: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or name not in SETTINGS:
            raise ValueError(f"say NAME=VALUE with a name out of {', '.join(SETTINGS)}")
        if name in wanted:
            raise ValueError(f"{name} stands twice")
        wanted[name] = text.strip()

    def changed(client: Client) -> Client:
        for name, text in wanted.items():
            try:
                client = SETTINGS[name].read(client, text)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        return client

    return changed


def shown(client: Client) -> dict[str, str]:
    """Every setting of a client, as `parsed` takes it."""
    return {name: setting.show(client) for name, setting in SETTINGS.items()}
