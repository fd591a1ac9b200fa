"""A file beside a recording that says what is known of the call: JSON, or CSV with one row. Pure.

Beside `call.wav` it is `call.json`, `call.wav.json`, `call.csv` or `call.wav.csv`. Its names are the fields of an upload
(docs/api.md); `chain_id` and any other name become metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from services.ingest.fields import CallFields
from services.ingest.watching.naming import without_suffix
from services.ingest.watching.tables import TableError, decoded, rows

SUFFIXES: Final = (".json", ".csv")
MAX_BYTES: Final = 65_536
_METADATA: Final = "metadata"
#: Fields of an upload that a file beside a recording may not say: they tell what the bytes are, or are the watcher's to say.
_NOT_HERE: Final = ("priority", "codec", "sample_rate_hz", "channel_count")


class SidecarError(ValueError):
    """A sidecar that cannot be read. Never holds what stood in it."""


def names_of(path: str) -> Iterator[str]:
    """Where a recording's sidecar may lie, the likeliest first."""
    folder, slash, name = path.rpartition("/")
    for stem in dict.fromkeys((without_suffix(name), name)):
        for suffix in SUFFIXES:
            yield f"{folder}{slash}{stem}{suffix}"


def parse(name: str, data: bytes | None) -> dict[str, str]:
    """The fields of an upload out of a sidecar; `metadata` is JSON, as an upload takes it.

    Args:
        name: Of the sidecar: its suffix says what it is.
        data: At most MAX_BYTES; None: there were more.

    Raises:
        SidecarError: It is none.
    """
    if data is None or len(data) > MAX_BYTES:
        raise SidecarError(f"at most {MAX_BYTES} bytes")
    said = _of_json(data) if name.lower().endswith(".json") else _of_csv(data)
    known = [field for field in CallFields.model_fields if field not in {*_NOT_HERE, _METADATA}]
    refused = [field for field in _NOT_HERE if field in said]
    if refused:
        raise SidecarError(f"{refused[0]} cannot be said beside a recording")
    texts = {field: said[field] for field in known if said.get(field)}
    more = {field: text for field, text in said.items() if field not in known}
    if more:
        texts[_METADATA] = json.dumps(more, ensure_ascii=False)
    return texts


def _of_json(data: bytes) -> dict[str, str]:
    try:
        found = json.loads(decoded(data))
    except (ValueError, RecursionError):
        raise SidecarError("no JSON that can be read") from None
    if not isinstance(found, dict):
        raise SidecarError("must be a JSON object")
    inner = found.pop(_METADATA, {})
    if not isinstance(inner, dict):
        raise SidecarError("metadata must be a JSON object")
    said: dict[str, str] = {}
    for field, value in (*inner.items(), *found.items()):
        said[field] = _text(value)
    return said


def _text(value: object) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int):  # also a bool, as JSON writes it
        return json.dumps(value) if abs(value) < 2**63 else _refuse()
    return _refuse()


def _refuse() -> str:
    raise SidecarError("must be a JSON object of texts and whole numbers")


def _of_csv(data: bytes) -> Mapping[str, str]:
    try:
        found = list(rows(data))
    except TableError as error:
        raise SidecarError(str(error)) from None
    if len(found) != 1:
        raise SidecarError("must be a line of names and one line of values")
    return {field: text for field, text in found[0].items() if field and text}
