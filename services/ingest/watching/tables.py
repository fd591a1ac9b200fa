"""CSV as other programs write it: by Excel, by a Russian Excel, by `sqlcmd`. Pure; limits on everything.

Called by `sidecars` and `oktell`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Final

MAX_ROWS: Final = 1_000_000
MAX_CELL: Final = 4096
_ENCODINGS: Final = ("utf-8-sig", "cp1251")
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS: Final = ";,\t|"


class TableError(ValueError):
    """No table that can be read. Never holds what stood in it."""


def decoded(data: bytes) -> str:
    """Text of a file: UTF-16 where its first bytes say so, UTF-8, else the Russian Windows' own."""
    if data.startswith(_UTF16_MARKS):
        return data.decode("utf-16", "replace")
    for encoding in _ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace")


def rows(data: bytes) -> Iterator[dict[str, str]]:
    """The rows of a CSV file, by the names of its first line in small letters; cells that are missing are empty.

    What separates cells is told by the first line: semicolon, comma, tab or bar. A line of dashes under it is passed over.

    Raises:
        TableError: It is no table, or too large.
    """
    lines = decoded(data).splitlines(keepends=True)
    head = next((line for line in lines if line.strip()), "")
    if not head:
        raise TableError("the table is empty")
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        names: list[str] = []
        for number, cells in enumerate(reader):
            if number > MAX_ROWS or any(len(cell) > MAX_CELL for cell in cells):
                raise TableError(f"at most {MAX_ROWS} rows of cells of {MAX_CELL} characters")
            texts = [cell.strip() for cell in cells]
            if not any(texts) or all(set(text) <= {"-"} for text in texts):
                continue
            if not names:
                names = [text.lower() for text in texts]
                continue
            yield dict(zip(names, texts + [""] * len(names), strict=False))
    except csv.Error:
        raise TableError("the table cannot be read") from None
