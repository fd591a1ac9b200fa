"""A call of which not all could be read says so in every export, with both lengths."""

from __future__ import annotations

import json

import pytest

from pipeline.contracts.transcript import Warning_
from pipeline.formats import FORMATS
from tests.unit.pipeline.formats import calls, workbooks

LENGTHS = {"ru": ("252,0 с", "84,2 с"), "en": ("252.0 s", "84.2 s")}


def shown(name: str, data: bytes) -> str:
    """All that a reader of an export sees, in one line."""
    if name != "xlsx":
        return " ".join(data.decode().split())
    book = workbooks.read(data)
    return " ".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize("locale", LENGTHS)
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "json"])
def test_every_export_tells_the_declared_and_the_decoded_length(name: str, locale: str) -> None:
    text = shown(name, FORMATS[name].render(calls.conversation(), calls.INFO, locale))
    assert [length for length in LENGTHS[locale] if length not in text] == []


def test_the_canonical_export_tells_it_as_data() -> None:
    told = json.loads(FORMATS["json"].render(calls.conversation(), calls.INFO, "ru"))
    assert told["partial"] is True
    assert told["warnings"] == [
        Warning_(code="truncated_audio", details={"declared_s": 252.0, "decoded_s": 84.2}).model_dump()
    ]
