"""Events to bytes and back: Avro single-object encoding (0xC3 0x01, CRC-64-AVRO fingerprint, body).

`stream.wire` puts the bytes into records. The hot path is fastavro. Fingerprints are fastavro's too: the `avro`
package writes `{"type":"long"}` into the canonical form of a logical type, where the specification and the Java
library write `"long"`, so its fingerprints would be ours alone.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form
from pydantic import ValidationError

from pipeline.contracts.events import BY_TOPIC, Event
from pipeline.errors import Permanent

SCHEMA_HEADER: Final = "razgovor.schema"
MAGIC: Final = b"\xc3\x01"
_PREFIX_BYTES: Final = len(MAGIC) + 8


@dataclass(frozen=True, slots=True)
class Schema:
    """A released schema file.

    Attributes:
        event: Its folder, e.g. `audio_uploaded`.
        version: From 1.
        fingerprint: CRC-64-AVRO of the parsing canonical form, in the byte order of the wire (little endian).
        parsed: As fastavro wants it.
    """

    event: str
    version: int
    fingerprint: bytes
    parsed: Any

    @property
    def header(self) -> bytes:
        """The value of the `razgovor.schema` header: event, version, fingerprint."""
        return f"{self.event}/{self.version}/{self.fingerprint.hex()}".encode()


@cache
def released_schemas() -> Mapping[bytes, Schema]:
    """Every released version of every event, by fingerprint."""
    found: dict[bytes, Schema] = {}
    for event_class in BY_TOPIC.values():
        for entry in files("schemas").joinpath(event_class.SCHEMA).iterdir():
            if entry.name.startswith("v") and entry.name.endswith(".avsc"):
                version = int(entry.name.removeprefix("v").removesuffix(".avsc"))
                schema = parse_schema(event_class.SCHEMA, version, entry.read_text(encoding="utf-8"))
                found[schema.fingerprint] = schema
    return found


def parse_schema(event: str, version: int, text: str) -> Schema:
    """Parse and fingerprint the text of an .avsc file."""
    raw = json.loads(text)
    mark = bytes.fromhex(fingerprint(to_parsing_canonical_form(raw), "CRC-64-AVRO"))
    return Schema(event, version, mark, fastavro.parse_schema(raw))


@cache
def _schema_of(event_class: type[Event]) -> Schema:
    return next(
        schema
        for schema in released_schemas().values()
        if (schema.event, schema.version) == (event_class.SCHEMA, event_class.VERSION)
    )


@cache
def _class_of(schema_event: str) -> type[Event]:
    return next(event_class for event_class in BY_TOPIC.values() if schema_event == event_class.SCHEMA)


def encode(event: Event) -> tuple[bytes, bytes]:
    """The event's single-object encoding and the value of its schema header."""
    schema = _schema_of(type(event))
    buffer = io.BytesIO()
    buffer.write(MAGIC)
    buffer.write(schema.fingerprint)
    fastavro.schemaless_writer(buffer, schema.parsed, event.model_dump(mode="python"))
    return buffer.getvalue(), schema.header


def decode(value: bytes | None, header: bytes | None) -> Event:
    """The event in `value`; the header decides by which schema, the fingerprint in the bytes only without it.

    Raises:
        Permanent: `undecodable`: no value, wrong magic, unknown schema, truncated, left-over bytes, wrong type.
    """
    if value is None or not value.startswith(MAGIC) or len(value) < _PREFIX_BYTES:
        raise Permanent("undecodable")
    schema = released_schemas().get(_named_fingerprint(header) or value[len(MAGIC) : _PREFIX_BYTES])
    if schema is None:
        raise Permanent("undecodable")
    event_class = _class_of(schema.event)
    body = io.BytesIO(value[_PREFIX_BYTES:])
    try:
        fields = fastavro.schemaless_reader(body, schema.parsed, _schema_of(event_class).parsed)
        if body.read(1):
            raise Permanent("undecodable")
        return event_class.model_validate(fields)
    except (
        ValidationError,
        ValueError,
        TypeError,
        EOFError,
        IndexError,
        KeyError,
        OverflowError,
        MemoryError,
    ) as error:
        # What fastavro raises on a body that is not of its schema.
        raise Permanent("undecodable") from error


def _named_fingerprint(header: bytes | None) -> bytes | None:
    if header is None:
        return None
    try:
        return bytes.fromhex(header.decode("ascii").rpartition("/")[2])
    except ValueError as error:
        raise Permanent("undecodable") from error
