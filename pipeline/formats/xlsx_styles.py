"""How cells look. Named styles, so that whoever restyles a sheet changes all of a kind at once. Called by `xlsx_sheet`."""

from __future__ import annotations

from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, NamedStyle, PatternFill

TEXT: Final = "razgovor text"
HEADING: Final = "razgovor heading"
NUMBER: Final = "razgovor number"
DURATION: Final = "razgovor duration"
OFFSET: Final = "razgovor offset"
MOMENT: Final = "razgovor moment"
DATE: Final = "razgovor date"
TIME: Final = "razgovor time"
SHARE: Final = "razgovor share"
LINK: Final = "razgovor link"


def new_workbook(sheet_date: str) -> Workbook:
    """An empty workbook that streams, with our styles.

    Args:
        sheet_date: Excel's format of a date, `dd.mm.yyyy`.
    """
    workbook = Workbook(write_only=True)
    text = Alignment(horizontal="left", vertical="top", wrap_text=True)
    workbook.add_named_style(NamedStyle(name=TEXT, alignment=text))
    workbook.add_named_style(
        NamedStyle(name=HEADING, alignment=text, font=Font(bold=True), fill=PatternFill("solid", fgColor="E7ECF2"))
    )
    workbook.add_named_style(
        NamedStyle(
            name=LINK,
            alignment=Alignment(horizontal="left", vertical="top"),
            font=Font(color="0563C1", underline="single"),
        )
    )
    formats = {
        NUMBER: "#,##0",
        DURATION: "[h]:mm:ss",
        OFFSET: "[mm]:ss.0",
        MOMENT: f"{sheet_date} hh:mm:ss",
        DATE: sheet_date,
        TIME: "hh:mm:ss",
        SHARE: "0%",
    }
    for name, number_format in formats.items():
        figures = Alignment(horizontal="right", vertical="top")
        workbook.add_named_style(NamedStyle(name=name, number_format=number_format, alignment=figures))
    return workbook
