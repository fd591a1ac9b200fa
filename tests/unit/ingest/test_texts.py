from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.texts import MAX_FILE_NAME, download_name, storable, stored_file_name


@given(st.text(st.characters()))
def test_a_storable_text_has_no_nul_and_is_utf_8(text: str) -> None:
    assert "\0" not in storable(text).encode("utf-8").decode("utf-8")


@given(st.text(st.characters()))
def test_a_download_name_is_a_plain_name(text: str) -> None:
    name = download_name(text, "fallback")
    assert name
    assert len(name) <= 101
    assert not set(name) & set('/\\:*?"<>|')
    assert not any(unicodedata.category(character)[0] == "C" for character in name)
    assert not name.startswith(".")


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("../../etc/x", "_.._etc_x"),
        ("CON", "_CON"),
        ("con.wav", "_con.wav"),
        ("a\nINFO fake log line.wav", "aINFO fake log line.wav"),
        ("gnp\u202evaw.exe", "gnpvaw.exe"),
        ("\0\0", "fallback"),
        ("..", "fallback"),
        (None, "fallback"),
        ("звонок 1.wav", "звонок 1.wav"),
    ],
)
def test_strange_names_become_harmless_ones(given_name: str | None, expected: str) -> None:
    assert download_name(given_name, "fallback") == expected


def test_a_stored_name_is_cut_and_otherwise_the_senders_own() -> None:
    assert stored_file_name("../../etc/x") == "../../etc/x"
    assert stored_file_name("x" * 5000) == "x" * MAX_FILE_NAME
    assert stored_file_name("a\0b") == "ab"
    assert stored_file_name("\0") is None
    assert stored_file_name(None) is None
    assert stored_file_name("\ud800.wav") == "?.wav"
