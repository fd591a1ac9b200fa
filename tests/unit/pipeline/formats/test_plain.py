from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings

from pipeline.formats.plain import clean, one_line
from tests.unit.pipeline.formats import hostile


@settings(deadline=None)  # a busy machine is no fault of the code
@given(hostile.anything)
def test_cleaned_text_holds_nothing_unsafe_and_can_be_encoded(text: str) -> None:
    kept = clean(text)
    assert kept.encode().decode() == kept
    assert all(unicodedata.category(character) not in {"Cc", "Cs"} or character in "\t\n" for character in kept)
    assert not set(kept) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffe\uffff")
    assert clean(kept) == kept


@settings(deadline=None)  # a busy machine is no fault of the code
@given(hostile.anything)
def test_cleaning_takes_nothing_that_can_be_read(text: str) -> None:
    def readable(of: str) -> list[str]:
        unread = {"Cc", "Cs", "Cf", "Cn", "Zl", "Zp", "Zs"}
        return [character for character in of if unicodedata.category(character) not in unread]

    assert readable(clean(text)) == readable(one_line(text)) == readable(text)


@settings(deadline=None)  # a busy machine is no fault of the code
@given(hostile.anything)
def test_one_line_is_one_line_for_every_reader(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert line == line.strip(" ")
    assert "  " not in line


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\x00b\ud800c", "abc"),
        ("\u202eabc\u202c", "abc"),
        ("10\u00a0000 \u20bd", "10\u00a0000 \u20bd"),
    ],
)
def test_cleaning_by_example(given_text: str, kept: str) -> None:
    assert clean(given_text) == kept
