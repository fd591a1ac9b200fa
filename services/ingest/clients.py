"""A client: a tenant with its defaults and limits. It comes from the API key, never from the request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.ingest.priorities import PRIORITIES

ROLES: Final = ("operator", "customer")
LOCALES: Final = ("ru", "en")
FORMATS: Final = ("txt", "vtt", "srt", "xlsx")
#: What a client gets who never said.
USUAL_FORMATS: Final = ("txt", "vtt", "xlsx")

#: The rule of a channel map that holds for every direction.
ANY_DIRECTION: Final = "any"
DIRECTIONS: Final = ("inbound", "outbound", ANY_DIRECTION)
#: In place of a language: told by ear, out of the client's `languages`.
AUTO: Final = "auto"

_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def is_client_id(text: str) -> bool:
    """Whether a text may name a client: it stands in events and reports."""
    return _CLIENT_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What a client may use at most; None: as much as it likes.

    Attributes:
        daily_minutes: Minutes of audio accepted in a day of UTC.
        monthly_minutes: Minutes of audio accepted in a month of UTC.
        concurrent_jobs: Jobs announced and not at their end. More are accepted, and wait.
    """

    daily_minutes: int | None = None
    monthly_minutes: int | None = None
    concurrent_jobs: int | None = None

    @property
    def bounds_audio(self) -> bool:
        """Whether there is anything to count before a job is accepted."""
        return self.daily_minutes is not None or self.monthly_minutes is not None


UNLIMITED: Final = Quota()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long what is a client's is kept after its job ended; None: until somebody deletes it."""

    audio_days: int | None = None
    transcript_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A tenant.

    Attributes:
        channel_map: Roles by channel for a direction (`inbound`, `outbound`, `any`). Empty: roles are not known.
        language: What its calls are transcribed in unless they say so themselves.
        languages: Those that `auto` chooses from; empty: all that the installation takes.
        glossary_id: Of the glossary that its calls are heard with, `name@hash`; None: none.
        locale: Language of exports and reasons.
        formats: Artefacts it gets by default.
        requests_per_minute: Requests that it may send, and as many at once; None: as many as it likes.
        priority_ceiling: The most urgent priority that its jobs may have; what asks for more gets this.
        webhook_url: Who is told of ends of jobs.
        sources: Where recordings that it names may lie, each `s3://bucket/prefix/`; empty: nowhere.
    """

    client_id: str
    name: str
    channel_map: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    language: str = "ru"
    languages: tuple[str, ...] = ()
    glossary_id: str | None = None
    locale: str = "ru"
    formats: tuple[str, ...] = USUAL_FORMATS
    retention: Retention = Retention()
    quota: Quota = UNLIMITED
    requests_per_minute: int | None = None
    priority_ceiling: str = PRIORITIES[0]
    webhook_url: str | None = None
    sources: tuple[str, ...] = ()

    def channel_roles(self, direction: str | None) -> tuple[str, ...]:
        """Roles by channel of a call of this direction; empty where the client's rules say nothing."""
        rule = self.channel_map.get(direction) if direction is not None else None
        return rule if rule is not None else self.channel_map.get(ANY_DIRECTION, ())

    def priority(self, wanted: str) -> str:
        """The wanted priority, or the client's ceiling where that is less urgent."""
        return max(wanted, self.priority_ceiling, key=PRIORITIES.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """An API key as the database knows it.

    Attributes:
        revoked: It opens nothing any more: it was revoked, or its time is over.
    """

    key_id: str
    secret_sha256: bytes
    scopes: frozenset[str]
    revoked: bool
    client: Client


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """What an operator may see of a key: nothing of its secret, not even the hash.

    Attributes:
        expires_at: When it stops to work by itself; None: never.
        revoked_at: When it was revoked; None: it was not.
    """

    key_id: str
    client_id: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def works(self, now: datetime) -> bool:
        """Whether it opens the door."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
