"""Reads workbooks back as Excel would, and looks into the package for what openpyxl hides."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from zipfile import ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.utils.escape import unescape

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read(data: bytes) -> Workbook:
    return load_workbook(io.BytesIO(data))


def column(workbook: Workbook, sheet: str, heading: str) -> list[Cell]:
    """The cells under a heading."""
    rows = [list(row) for row in workbook[sheet].iter_rows()]
    index = [cell.value for cell in rows[0]].index(heading)
    return [cell for row in rows[1:] if isinstance(cell := row[index], Cell)]


def text_of(cell: Cell) -> str:
    """What Excel shows: openpyxl leaves the escapes of ECMA-376 ST_Xstring as they are."""
    return "" if cell.value is None else unescape(str(cell.value))


def assert_sound(data: bytes) -> None:
    """Every part is XML that a strict reader takes; no cell is a formula or an error, none is longer than Excel's limit."""
    with ZipFile(io.BytesIO(data)) as package:
        assert package.testzip() is None
        roots = {name: ET.fromstring(package.read(name)) for name in package.namelist()}  # noqa: S314  our own bytes
    sheets = [root for name, root in roots.items() if name.startswith("xl/worksheets/sheet")]
    assert sheets
    for sheet in sheets:
        assert sheet.find(f".//{_MAIN}f") is None
        assert {cell.get("t") for cell in sheet.iter(f"{_MAIN}c")} <= {"inlineStr", "n", None}
        for text in sheet.iter(f"{_MAIN}t"):
            assert len((text.text or "").encode("utf-16-le")) // 2 <= 32_767
