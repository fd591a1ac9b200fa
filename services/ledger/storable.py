"""Makes what was decoded storable, because the ledger must never stop for ever on an event it can decode.

PostgreSQL's text and jsonb refuse U+0000, which Avro and JSON allow: it becomes U+FFFD. A B-tree refuses keys of more
than about 2,700 bytes: an id longer than we ever make is cut and ended with the hash of the whole. Integers that a
column could not hold are cut to its range. Called by `handler` only.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, TypeVar

from pipeline.contracts.events import Event

EventT = TypeVar("EventT", bound=Event)

KEY_CHARACTERS: Final = 200
BIGINT_MAX: Final = 2**63 - 1
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_ESCAPED_NUL: Final = "\\u0000"


def text(value: str) -> str:
    """The text without U+0000."""
    return value.replace("\x00", _REPLACEMENT)


def key(value: str) -> str:
    """The text as an id that an index can hold: at most 200 characters, different ids stay different."""
    clean = text(value)
    if len(clean) <= KEY_CHARACTERS:
        return clean
    digest = hashlib.sha256(clean.encode()).hexdigest()
    return f"{clean[: KEY_CHARACTERS - len(digest) - 1]}~{digest}"


def event(decoded: EventT) -> EventT:
    """The event, every text of it without U+0000. Nearly always the same object."""
    if _ESCAPED_NUL not in decoded.model_dump_json():
        return decoded
    return type(decoded).model_validate(_clean(decoded.model_dump()))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return {_clean(name): _clean(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_clean(item) for item in value)
    return value


def bigint_in(value: bytes | None) -> int | None:
    """The non-negative decimal number in a header, None where there is none that a bigint holds."""
    if value is None or not value.isdigit() or len(value) > len(str(BIGINT_MAX)):
        return None
    number = int(value)
    return number if number <= BIGINT_MAX else None
