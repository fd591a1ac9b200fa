"""A client: a tenant with its defaults. It comes from the API key, never from the request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ROLES: Final = ("operator", "customer")
LOCALES: Final = ("ru", "en")
FORMATS: Final = ("txt", "vtt", "xlsx")

#: What a key may do.
WRITE: Final = "jobs:write"
READ: Final = "jobs:read"
SCOPES: Final = (WRITE, READ)

#: The rule of a channel map that holds for every direction.
ANY_DIRECTION: Final = "any"

_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def is_client_id(text: str) -> bool:
    """Whether a text may name a client: it stands in events and reports."""
    return _CLIENT_ID.fullmatch(text) is not None


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
    """

    client_id: str
    name: str
    channel_map: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    language: str = "ru"
    languages: tuple[str, ...] = ()
    glossary_id: str | None = None
    locale: str = "ru"
    formats: tuple[str, ...] = FORMATS

    def channel_roles(self, direction: str | None) -> tuple[str, ...]:
        """Roles by channel of a call of this direction; empty where the client's rules say nothing."""
        rule = self.channel_map.get(direction) if direction is not None else None
        return rule if rule is not None else self.channel_map.get(ANY_DIRECTION, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """An API key as the database knows it."""

    key_id: str
    secret_sha256: bytes
    scopes: frozenset[str]
    revoked: bool
    client: Client
