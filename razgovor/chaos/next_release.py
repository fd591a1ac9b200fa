"""The next release of the events, as a rolling upgrade meets it: each schema has a second version with one more field.

The field has a default, so both versions read each other: the change is FULL_TRANSITIVE, as the registry asks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import create_model

from pipeline.contracts import codec
from pipeline.contracts.codec import Codec, Schema, parse_schema
from pipeline.contracts.events import BY_TOPIC, Event

#: As pydantic and Avro name it.
FIELD: Final = "since_next_release"


def schemas() -> Mapping[bytes, Schema]:
    """This release's schemas and the next one's, by fingerprint."""
    found = dict(codec.released_schemas())
    newest: dict[str, Schema] = {}
    for schema in found.values():
        if schema.event not in newest or newest[schema.event].version < schema.version:
            newest[schema.event] = schema
    further = [_further(schema) for schema in newest.values()]
    return found | {schema.fingerprint: schema for schema in further}


def _further(schema: Schema) -> Schema:
    document: dict[str, Any] = json.loads(schema.text)
    field = {"name": FIELD, "type": ["null", "string"], "default": None, "doc": "Known to the next release alone."}
    document["fields"].append(field)
    return parse_schema(schema.event, schema.version + 1, json.dumps(document))


def become() -> None:
    """Have this process read and write as the next release. Before a service is imported."""
    classes = [_grown(event_class) for event_class in BY_TOPIC.values()]
    next_codec = Codec(schemas().values(), classes)
    for event_class in BY_TOPIC.values():
        event_class.VERSION += 1  # what this release's code makes is written as the next one's
    codec.released = lambda: next_codec  # type: ignore[assignment]  # a test build: the process is of another release


def _grown(event_class: type[Event]) -> type[Event]:
    grown: type[Event] = create_model(
        f"Next{event_class.__name__}", __base__=event_class, since_next_release=(str | None, None)
    )
    grown.VERSION = event_class.VERSION + 1
    return grown
