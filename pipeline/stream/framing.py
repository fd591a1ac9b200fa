"""What stands before an Avro body: which schema wrote it. Pure.

single object   0xC3 0x01, CRC-64-AVRO fingerprint (8 bytes, little endian)   the Avro specification's
Confluent       0x00, the registry's id (4 bytes, big endian)                  what the registry's tools read
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from pipeline.contracts.codec import FINGERPRINT_BYTES, UNDECODABLE
from pipeline.errors import Permanent

SINGLE_OBJECT: Final = b"\xc3\x01"
CONFLUENT: Final = b"\x00"
_ID: Final = struct.Struct(">I")
_SINGLE_OBJECT_BYTES: Final = len(SINGLE_OBJECT) + FINGERPRINT_BYTES
_CONFLUENT_BYTES: Final = len(CONFLUENT) + _ID.size


@dataclass(frozen=True, slots=True)
class Framed:
    """A value taken apart: the fingerprint or the registry's id, and the body."""

    fingerprint: bytes | None
    schema_id: int | None
    body: bytes


def split(value: bytes | None) -> Framed:
    """Take a record's value apart; the first byte tells the framings from each other.

    Raises:
        Permanent: `undecodable`: no value, another first byte, too short.
    """
    if value is not None and value.startswith(SINGLE_OBJECT) and len(value) >= _SINGLE_OBJECT_BYTES:
        return Framed(value[len(SINGLE_OBJECT) : _SINGLE_OBJECT_BYTES], None, value[_SINGLE_OBJECT_BYTES:])
    if value is not None and value.startswith(CONFLUENT) and len(value) >= _CONFLUENT_BYTES:
        (schema_id,) = _ID.unpack_from(value, len(CONFLUENT))
        return Framed(None, schema_id, value[_CONFLUENT_BYTES:])
    raise Permanent(UNDECODABLE)


def single_object(fingerprint: bytes, body: bytes) -> bytes:
    """A value that names its schema by fingerprint."""
    return SINGLE_OBJECT + fingerprint + body


def confluent(schema_id: int, body: bytes) -> bytes:
    """A value that names its schema by the registry's id."""
    return CONFLUENT + _ID.pack(schema_id) + body
