"""The next release, as this one's tests imagine it: audio.uploaded in a second, compatible version."""

from __future__ import annotations

import json
from typing import Any

from pipeline.contracts import codec
from pipeline.contracts.codec import Codec, Schema
from pipeline.contracts.events import AudioUploaded
from pipeline.stream.schema_registry import SchemaRegistrar, subject_of
from pipeline.testing import samples


class AudioUploadedV2(AudioUploaded):
    """Written in version 2: it says one thing more."""

    VERSION = 2

    diarise: bool = False


class CautiousAudioUploaded(AudioUploadedV2):
    """Knows version 2 and still writes version 1."""

    VERSION = 1


def schema_v2() -> Schema:
    raw: dict[str, Any] = json.loads(codec.released().written(AudioUploaded).text)
    raw["fields"].append(
        {"name": "diarise", "type": "boolean", "default": False, "doc": "Whether to tell voices apart."}
    )
    return codec.parse_schema("audio_uploaded", 2, json.dumps(raw))


def next_release(event_class: type[AudioUploaded] = AudioUploadedV2) -> Codec:
    classes = [event_class if one is AudioUploaded else one for one in codec.released().classes]
    return Codec([*codec.released_schemas().values(), schema_v2()], classes)


def event_v2(job_id: str) -> AudioUploadedV2:
    return AudioUploadedV2(**samples.audio_uploaded(job_id).model_dump(), diarise=True)


def register(registry: SchemaRegistrar, *, newest_first: bool = False) -> None:
    """All schemas of both releases; in another order they get other ids."""
    schemas = [*codec.released_schemas().values(), schema_v2()]
    topics = {one.SCHEMA: one.TOPIC for one in codec.released().classes}
    for schema in reversed(schemas) if newest_first else schemas:
        registry.register(subject_of(topics[schema.event]), schema.text)
