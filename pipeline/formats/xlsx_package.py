"""A workbook as a file that depends on nothing but its cells. Called by `xlsx` and `xlsx_calls`.

openpyxl writes the clock into core.xml and into every entry of the zip, and the sheets through temporary files.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.packaging.core import DocumentProperties
from openpyxl.xml.constants import ARC_CONTENT_TYPES, ARC_CORE, ARC_ROOT_RELS
from openpyxl.xml.functions import tostring

from pipeline.errors import Transient

#: The zip format knows no earlier one.
_DATE: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_IN_MEMORY_BYTES: Final = 8 << 20
_FILE_MODE: Final = 0o600 << 16
#: Readers that sniff look at the first entries.
_FIRST: Final = (ARC_CONTENT_TYPES, ARC_ROOT_RELS)


@contextmanager
def scratch() -> Iterator[None]:
    """While a workbook is written.

    Raises:
        Transient: The temporary folder takes no files.
    """
    try:
        yield
    except OSError as error:
        raise Transient("no room for temporary files") from error


@contextmanager
def dropped_on_failure(workbook: Workbook) -> Iterator[None]:
    """While rows are written that come from elsewhere: where they end in an error, no half-written sheet is left."""
    try:
        yield
    except BaseException:
        sheets: list[Any] = workbook.worksheets
        for sheet in sheets:
            if sheet._writer is not None and not sheet.closed:  # noqa: SLF001  openpyxl has no other way to give up
                sheet.close()
                sheet._writer.cleanup()  # noqa: SLF001
        raise


def to_bytes(workbook: Workbook, title: str) -> bytes:
    """The finished file; the same workbook and title give the same bytes under any clock."""
    made = io.BytesIO()
    write(workbook, title, made)
    return made.getvalue()


def write(workbook: Workbook, title: str, target: BinaryIO) -> None:
    """Write the finished file, as `to_bytes` gives it; what is large meanwhile lies in the temporary folder."""
    with SpooledTemporaryFile(_IN_MEMORY_BYTES) as raw:
        workbook.save(raw)
        with ZipFile(raw) as source, ZipFile(target, "w") as made:
            for name in sorted(source.namelist(), key=_place):
                if name == ARC_CORE:
                    made.writestr(_entry(name), _core(title))
                    continue
                with source.open(name) as old, made.open(_entry(name), "w", force_zip64=True) as new:
                    shutil.copyfileobj(old, new)


def _place(name: str) -> tuple[int, str]:
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, _DATE)
    entry.compress_type = ZIP_DEFLATED
    entry.create_system = _UNIX
    entry.external_attr = _FILE_MODE
    return entry


def _core(title: str) -> bytes | str:
    moment = datetime(*_DATE)  # noqa: DTZ001  openpyxl takes naive times for UTC
    properties = DocumentProperties(creator="razgovor", title=title, created=moment, modified=moment)
    return tostring(properties.to_tree())
