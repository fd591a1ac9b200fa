"""Text as Excel keeps it: pieces that fit a cell, `_x0041_` said so that it stays what it is. Called by `xlsx_sheet`.

Measured on openpyxl 3.1: it cuts a string after 32,767 characters without a word, raises on control characters, and lets
U+FFFE and lone surrogates through, which no XML reader takes. Excel counts UTF-16 units where openpyxl counts characters.
"""

from __future__ import annotations

import re
from typing import Final

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from pipeline.formats.plain import clean

#: UTF-16 units in a cell as stored; Excel's limit is 32,767.
MAX_CELL_UNITS: Final = 32_000
#: An underscore that has to be escaped; any other character takes one unit or two.
_MAX_UNITS_A_CHARACTER: Final = 7
#: A piece ends at a blank if there is one among its last characters.
_BLANK_WITHIN: Final = 1_000
#: A text that begins so would become a formula if somebody edited the cell, or saved the sheet as CSV.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\n")

# ECMA-376 ST_Xstring: readers turn _x0041_ into A; the underscore before it is escaped as _x005F_.
_LOOKS_ESCAPED: Final = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


def cell_texts(text: str) -> list[str]:
    """The cleaned text in as many pieces as it needs, at least one, each as it is stored in a cell.

    Read back as Excel does and joined, they are the cleaned text.
    """
    rest = ILLEGAL_CHARACTERS_RE.sub("", clean(text))
    pieces: list[str] = []
    while rest or not pieces:
        end = _piece_length(rest)
        pieces.append(_LOOKS_ESCAPED.sub("_x005F_", rest[:end]))
        rest = rest[end:]
    return pieces


def could_be_formula(text: str) -> bool:
    """Whether a spreadsheet could take this text for a formula, now or when somebody edits it."""
    return text.lstrip(" \u00a0").startswith(_FORMULA_STARTS)


def _piece_length(text: str) -> int:
    """Characters of the first piece: all if they fit, else up to the last blank or the limit."""
    end = len(text)
    if end * _MAX_UNITS_A_CHARACTER <= MAX_CELL_UNITS or (end <= MAX_CELL_UNITS and _units(text) <= MAX_CELL_UNITS):
        return end
    end = min(end, MAX_CELL_UNITS)
    while (excess := _units(text[:end]) - MAX_CELL_UNITS) > 0:
        # Never more than must go, since each takes at most so many units with it.
        end -= max(1, excess // _MAX_UNITS_A_CHARACTER)
    blank = text.rfind(" ", end - _BLANK_WITHIN, end)
    return end if blank < 0 else blank + 1


def _units(text: str) -> int:
    utf16 = len(text.encode("utf-16-le")) // 2
    return utf16 + (_MAX_UNITS_A_CHARACTER - 1) * len(_LOOKS_ESCAPED.findall(text))
