from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from pipeline.formats.plain import clean
from pipeline.formats.xlsx_text import MAX_CELL_UNITS, cell_texts, could_be_formula
from tests.unit.pipeline.formats import hostile


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@settings(max_examples=50, deadline=None)  # the texts are long
@given(hostile.anything, st.sampled_from([1, 2, 700, 6_000, 40_000]))
def test_read_back_and_joined_the_pieces_are_the_cleaned_text(text: str, times: int) -> None:
    long = (text * times)[:80_000]
    pieces = cell_texts(long)
    assert "".join(map(unescape, pieces)) == clean(long)
    assert all(_units(piece) <= MAX_CELL_UNITS for piece in pieces)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [("", 1), ("x" * 32_000, 1), ("x" * 32_001, 2), ("😀" * 16_000, 1), ("😀" * 16_001, 2), ("_x0041_" * 40_000, 17)],
)
def test_a_text_takes_as_many_cells_as_it_needs(text: str, pieces: int) -> None:
    assert len(cell_texts(text)) == pieces


def test_a_long_text_is_parted_between_words() -> None:
    pieces = cell_texts("слово " * 10_000)
    assert all(piece.endswith(" ") for piece in pieces)
    assert len(pieces) == 2


@pytest.mark.parametrize("text", ["=1", "+7 900", "-1", "@SUM", "\t=1", "\n=1", " =1", "\u00a0=1"])
def test_what_a_spreadsheet_could_take_for_a_formula_is_known(text: str) -> None:
    assert could_be_formula(text)


@pytest.mark.parametrize("text", ["", "да", "{=1+1}", "1=1", "'=1"])
def test_other_text_is_only_text(text: str) -> None:
    assert not could_be_formula(text)
