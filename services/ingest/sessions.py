"""Sessions of the page: somebody who gave an API key, or a link that was made for one, and now carries a cookie.

A session opens what its key opens, and ends with it. Tokens are random; the database keeps only their SHA-256. Values, the
port, and what is pure about them; called by `web.auth`, `web.sessions` and the command line.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from services.ingest.clients import StoredKey

TOKEN_BYTES: Final = 32
#: However busy it is: who works longer signs in again.
SESSION_LASTS: Final = timedelta(hours=12)
#: A link is for whoever sits in front of the screen that shows it.
LINK_LASTS: Final = timedelta(minutes=15)
#: Sessions of one key; the oldest end when there would be more.
SESSIONS_OF_KEY_MAX: Final = 100
#: Where the page looks for a link's token: behind the #, which browsers send to nobody.
LINK_FRAGMENT: Final = "#/sign-in/"

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Session:
    """An open session: the key behind it, and when it ends by itself."""

    key: StoredKey
    expires_at: datetime


class Sessions(Protocol):
    """Where sessions and links are kept. Time is PostgreSQL's. Every method may raise Transient and Permanent."""

    def open(self, key_id: str, token_sha256: bytes, lasts: timedelta) -> None:
        """Keep a new session of a key. Beyond SESSIONS_OF_KEY_MAX the oldest of the key end."""

    def find(self, token_sha256: bytes) -> Session | None:
        """The session; None if there is none, it is over, or its key opens nothing any more."""

    def close(self, token_sha256: bytes) -> None:
        """End a session; one that is not there is fine."""

    def add_link(self, key_id: str, token_sha256: bytes, lasts: timedelta) -> bool:
        """Keep a link that opens one session of a key; False if there is no such key, or it opens nothing."""

    def use_link(self, token_sha256: bytes) -> str | None:
        """The id of a link's key, once, however many ask at the same time; None ever after, and when its time is over."""


def new(random: bytes) -> tuple[str, bytes]:
    """A token's text, and what the database keeps of it.

    Args:
        random: TOKEN_BYTES random bytes.

    Raises:
        ValueError: Another length.
    """
    if len(random) != TOKEN_BYTES:
        raise ValueError("a token needs 32 random bytes")
    token = base64.urlsafe_b64encode(random).decode().rstrip("=")
    return token, _sha256(token)


def sha256(token: str) -> bytes | None:
    """What the database keeps of a token; None: it is none of ours. A fast hash is right for 256 random bits."""
    return _sha256(token) if _TOKEN.fullmatch(token) else None


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def link_url(page_url: str, token: str) -> str:
    """Where a link leads: the page's address, then the token behind the #."""
    return f"{page_url.rstrip('/')}/{LINK_FRAGMENT}{token}"
