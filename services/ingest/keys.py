"""API keys: `rzg_<keyid>_<secret>_<crc>`. Pure; the database keeps only the SHA-256 of the secret.

The CRC covers everything before it and spots typing errors without a look at the database.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "rzg"
KEY_ID_BYTES: Final = 6
SECRET_BYTES: Final = 32
#: Longer texts are no key of ours; nothing is computed over them.
MAX_LENGTH: Final = 128

_KEY: Final = re.compile(r"(?P<body>rzg_(?P<key_id>[0-9a-f]{12})_(?P<secret>[0-9a-f]{64}))_(?P<crc>[0-9a-f]{8})")
_DUMMY_SHA256: Final = hashlib.sha256(b"no such key").digest()


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """A key whose form and checksum are right; nothing is known of its validity."""

    key_id: str
    secret: str


def compose(key_id: bytes, secret: bytes) -> str:
    """The key's text.

    Args:
        key_id: KEY_ID_BYTES random bytes.
        secret: SECRET_BYTES random bytes: 256 bits.

    Raises:
        ValueError: Wrong lengths.
    """
    if len(key_id) != KEY_ID_BYTES or len(secret) != SECRET_BYTES:
        raise ValueError("a key needs 6 bytes of id and 32 bytes of secret")
    body = f"{PREFIX}_{key_id.hex()}_{secret.hex()}"
    return f"{body}_{_crc(body)}"


def parse(text: str) -> ParsedKey | None:
    """The parts of a key; None if it is none or was mistyped."""
    if len(text) > MAX_LENGTH:
        return None
    match = _KEY.fullmatch(text)
    if match is None or match["crc"] != _crc(match["body"]):
        return None
    return ParsedKey(match["key_id"], match["secret"])


def secret_sha256(secret: str) -> bytes:
    """What the database keeps. A fast hash is right for 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()


def matches(parsed: ParsedKey | None, stored_sha256: bytes | None) -> bool:
    """Whether the secret is the stored one, in the same time whether there is a stored one or not."""
    found = secret_sha256(parsed.secret if parsed is not None else "")
    same = hmac.compare_digest(found, stored_sha256 if stored_sha256 is not None else _DUMMY_SHA256)
    return same and parsed is not None and stored_sha256 is not None


def _crc(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
