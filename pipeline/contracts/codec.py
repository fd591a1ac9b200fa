"""Events to Avro bodies and back, by the schemas of one release. `stream.wire` frames the bodies and puts them into records.

The hot path is fastavro. Fingerprints are fastavro's too: the `avro` package writes `{"type":"long"}` into the canonical
form of a logical type, where the specification and the Java library write `"long"`, so its fingerprints would be ours alone.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final

import fastavro
from fastavro.read import SchemaResolutionError
from fastavro.schema import SchemaParseException, UnknownType, fingerprint, to_parsing_canonical_form
from pydantic import ValidationError

from pipeline.contracts.events import BY_TOPIC, Event
from pipeline.errors import Permanent

SCHEMA_HEADER: Final = "razgovor.schema"
FINGERPRINT_BYTES: Final = 8
UNDECODABLE: Final = "undecodable"
UNKNOWN_SCHEMA: Final = "unknown_schema"


@dataclass(frozen=True, slots=True)
class Schema:
    """A version of an event's schema.

    Attributes:
        event: Its folder, e.g. `audio_uploaded`.
        version: From 1; 0: of a version that this release has no file of.
        fingerprint: CRC-64-AVRO of the parsing canonical form, in the byte order of the wire (little endian).
        parsed: As fastavro wants it.
        text: The schema as its file says it.
    """

    event: str
    version: int
    fingerprint: bytes
    parsed: Any = field(repr=False)
    text: str = field(repr=False)

    @property
    def header(self) -> bytes:
        """The value of the `razgovor.schema` header: event, version, fingerprint."""
        return f"{self.event}/{self.version}/{self.fingerprint.hex()}".encode()

    @property
    def record_name(self) -> str:
        """The full name of the Avro record, the same in all versions of an event."""
        return str(self.parsed["name"])


def parse_schema(event: str, version: int, text: str) -> Schema:
    """Parse and fingerprint the text of an .avsc file."""
    raw = json.loads(text)
    mark = bytes.fromhex(fingerprint(to_parsing_canonical_form(raw), "CRC-64-AVRO"))
    return Schema(event, version, mark, fastavro.parse_schema(raw), text)


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


class Codec:
    """What one release knows: it writes each event in the version that its class names, and reads all that is compatible.

    Args:
        schemas: The versions that the release has files of.
        classes: Its events.
    """

    def __init__(self, schemas: Iterable[Schema], classes: Iterable[type[Event]]) -> None:
        self._classes = {event_class.SCHEMA: event_class for event_class in classes}
        known = sorted((one for one in schemas if one.event in self._classes), key=lambda one: one.version)
        self._known = {schema.fingerprint: schema for schema in known}
        self._newest = {schema.event: schema for schema in known}
        self._written = {(schema.event, schema.version): schema for schema in known}
        self._event_of = {schema.record_name: schema.event for schema in known}

    @property
    def classes(self) -> tuple[type[Event], ...]:
        """The events of this release."""
        return tuple(self._classes.values())

    def written(self, event_class: type[Event]) -> Schema:
        """The version that this release writes."""
        return self._written[event_class.SCHEMA, event_class.VERSION]

    def known(self, mark: bytes) -> Schema | None:
        """The version with this fingerprint, if the release has it."""
        return self._known.get(mark)

    def foreign(self, text: str) -> Schema:
        """A version that the release has no file of, as another release has registered it.

        Raises:
            Permanent: `unknown_schema`: it is no schema, or none of our events'.
        """
        try:
            parsed = parse_schema("", 0, text)
            event = self._event_of[parsed.record_name]
        except (ValueError, TypeError, KeyError, RecursionError, SchemaParseException, UnknownType) as error:
            raise Permanent(UNKNOWN_SCHEMA) from error
        return self._known.get(parsed.fingerprint) or Schema(event, 0, parsed.fingerprint, parsed.parsed, text)

    def write(self, event: Event) -> bytes:
        """The event's Avro body. Fields that the written version does not have stay behind."""
        buffer = io.BytesIO()
        fastavro.schemaless_writer(buffer, self.written(type(event)).parsed, event.model_dump(mode="python"))
        return buffer.getvalue()

    def read(self, body: bytes, writer: Schema) -> Event:
        """The event in a body that was written by `writer`: what we do not know is dropped, what it lacks is defaulted.

        Raises:
            Permanent: `undecodable`: truncated, left-over bytes, wrong type, a schema that does not resolve with ours.
        """
        event_class = self._classes[writer.event]
        file = io.BytesIO(body)
        try:
            fields = fastavro.schemaless_reader(file, writer.parsed, self._newest[writer.event].parsed)
            if file.read(1):
                raise Permanent(UNDECODABLE)
            return event_class.model_validate(fields)
        except (
            ValidationError,
            SchemaResolutionError,
            ValueError,
            TypeError,
            EOFError,
            IndexError,
            KeyError,
            OverflowError,
            MemoryError,
            RecursionError,
        ) as error:
            # What fastavro raises on a body that is not of its schema.
            raise Permanent(UNDECODABLE) from error


@cache
def released() -> Codec:
    """This release."""
    return Codec(released_schemas().values(), BY_TOPIC.values())


def named_fingerprint(header: bytes) -> bytes:
    """The fingerprint in a `razgovor.schema` header.

    Raises:
        Permanent: `undecodable`: it is no such header.
    """
    try:
        mark = bytes.fromhex(header.decode("ascii").rpartition("/")[2])
    except ValueError as error:
        raise Permanent(UNDECODABLE) from error
    if len(mark) != FINGERPRINT_BYTES:
        raise Permanent(UNDECODABLE)
    return mark
