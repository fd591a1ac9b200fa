"""Secrets and signatures of Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256, version v1. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

SECRET_BYTES: Final = 32
_PREFIX: Final = "whsec_"
#: Signing secrets of a client that live at once: the newest, and the one before it while receivers change over.
MAX_SECRETS: Final = 2


def secret_text(secret: bytes) -> str:
    """A secret as it is kept and given to the receiver."""
    return _PREFIX + base64.b64encode(secret).decode()


def headers(webhook_id: str, timestamp_s: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """What a delivery is sent with.

    Args:
        webhook_id: The same however often it is sent.
        timestamp_s: Of this attempt, seconds since 1970.
        body: As it is sent, byte for byte.
        secrets: At least one; each signs.
    """
    signed = f"{webhook_id}.{timestamp_s}.".encode() + body
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
