"""A sheet of typed cells, streamed: headings, widths, frozen headings, a filter; text that is never a formula and never cut.

Called by `xlsx` and `xlsx_calls`. A value's type decides how it is shown; nothing else writes cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import TYPE_STRING, Cell
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties

from pipeline.formats import xlsx_styles as styles
from pipeline.formats.head import Share
from pipeline.formats.xlsx_text import cell_texts, could_be_formula

#: Rows that Excel opens.
MAX_ROWS: Final = 1_048_576
#: Links on one sheet that Excel keeps.
MAX_LINKS: Final = 65_530
#: Excel counts days from 1900 (and takes that for a leap year); earlier dates are written as text.
_FIRST_YEAR: Final = 1901


@dataclass(frozen=True, slots=True)
class Column:
    """A column: heading, width in characters, and whether its value stands again on rows that go on with a long text."""

    heading: str
    width: float
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """Text in the style of the headings."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A short text of ours that leads to a cell, such as `'Dialogues'!A2`."""

    text: str
    location: str


@dataclass(frozen=True, slots=True)
class Offset:
    """A time within a call or the length of a turn, shown with tenths of a second."""

    value: timedelta


CellValue = str | int | timedelta | datetime | date | time | Share | Offset | Heading | Link | None

_STYLES: Final[Mapping[type, str]] = {
    int: styles.NUMBER,
    timedelta: styles.DURATION,
    datetime: styles.MOMENT,
    date: styles.DATE,
    time: styles.TIME,
}


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text as it is stored in one cell."""

    text: str
    style: str
    is_quoted: bool


_Stored = _Piece | int | timedelta | datetime | date | time | Share | Offset | Link | None


class Sheet:
    """A sheet that is written from the top down, behind the others or `at` a place among them.

    `rows` counts what is written, headings included.
    """

    def __init__(
        self,
        workbook: Workbook,
        title: str,
        columns: Sequence[Column],
        *,
        frozen_columns: int = 0,
        at: int | None = None,
    ) -> None:
        # Any: the stubs give WriteOnlyWorksheet less than it has.
        self._sheet: Any = workbook.create_sheet(title, at)
        self._columns = columns
        self._links = 0
        self.title = title
        self.rows = 0
        for index, column in enumerate(columns, start=1):
            self._sheet.column_dimensions[get_column_letter(index)].width = column.width
        self._sheet.page_setup.orientation = "landscape"
        self._sheet.page_setup.fitToHeight = 0
        self._sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        if any(column.heading for column in columns):
            self._sheet.freeze_panes = f"{get_column_letter(frozen_columns + 1)}2"
            self._sheet.print_title_rows = "1:1"
            self.append([Heading(column.heading) for column in columns])

    def append(self, values: Sequence[CellValue]) -> None:
        """Write a row of one value a column, and below it as many rows as its longest text goes on for."""
        columns = [_stored(value) for value in values]
        for number in range(max(map(len, columns))):
            self._sheet.append([self._cell(self._at(number, index, pieces)) for index, pieces in enumerate(columns)])
            self.rows += 1

    def filter_to_here(self) -> None:
        """Let the headings filter what is written so far."""
        self._sheet.auto_filter.ref = f"A1:{get_column_letter(len(self._columns))}{self.rows}"

    def location(self, row: int) -> str:
        """Where a link to the first cell of a row leads."""
        return f"{quote_sheetname(self.title)}!A{row}"

    def _at(self, number: int, index: int, pieces: list[_Stored]) -> _Stored:
        if number < len(pieces):
            return pieces[number]
        return pieces[0] if self._columns[index].repeats and len(pieces) == 1 else None

    def _cell(self, stored: _Stored) -> Cell | None:
        if stored is None:
            return None
        cell = WriteOnlyCell(self._sheet)
        if isinstance(stored, _Piece):
            cell.style = stored.style
            _put_text(cell, stored)
        elif isinstance(stored, Link):
            cell.style = styles.LINK
            _put_text(cell, _Piece(stored.text, styles.LINK, is_quoted=False))
            if self._links < MAX_LINKS:
                cell.hyperlink = Hyperlink(ref="", location=stored.location)
                self._links += 1
        elif isinstance(stored, Share):
            cell.style = styles.SHARE
            cell.value = round(stored.value, 4)
        elif isinstance(stored, Offset):
            cell.style = styles.OFFSET
            cell.value = stored.value
        else:
            cell.style = _STYLES[type(stored)]
            cell.value = stored
        return cell


def height(values: Sequence[CellValue]) -> int:
    """How many rows `append` will write."""
    return max(len(_stored(value)) for value in values)


def _put_text(cell: Cell, piece: _Piece) -> None:
    if not piece.text:
        return  # a cell without a value: a text cell without a text may be taken for damage
    cell.value = piece.text
    cell.data_type = TYPE_STRING  # whatever openpyxl took it for: a formula, an error
    if piece.is_quoted:
        cell.quotePrefix = True


def _stored(value: CellValue) -> list[_Stored]:
    if isinstance(value, datetime):
        local = value.replace(tzinfo=None)
        return [local] if local.year >= _FIRST_YEAR else _pieces(f"{value:%Y-%m-%d %H:%M:%S}", styles.TEXT)
    if isinstance(value, date) and value.year < _FIRST_YEAR:
        return _pieces(value.isoformat(), styles.TEXT)
    if isinstance(value, str):
        return _pieces(value, styles.TEXT)
    if isinstance(value, Heading):
        return _pieces(value.text, styles.HEADING)
    return [value]


def _pieces(text: str, style: str) -> list[_Stored]:
    return [_Piece(piece, style, could_be_formula(piece)) for piece in cell_texts(text)]
