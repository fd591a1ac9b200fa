"""Run by the test of determinism, in a process of its own: prints a hash for each file, under a clock that is told."""

from __future__ import annotations

import datetime as dt
import hashlib
import sys
import time
from types import SimpleNamespace

import openpyxl.packaging.core
import openpyxl.writer.excel

from pipeline.formats import FORMATS
from pipeline.formats.xlsx_calls import Dialogue, call_row, calls_workbook
from tests.unit.pipeline.formats import calls


class _Clock(dt.datetime):
    ahead = dt.timedelta()

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> _Clock:
        return super().now(tz) + cls.ahead


def main() -> None:
    years = int(sys.argv[1])
    _Clock.ahead = dt.timedelta(days=365 * years)
    real_time = time.time
    time.time = lambda: real_time() + 365 * 86_400 * years
    shifted = SimpleNamespace(**{**vars(dt), "datetime": _Clock})
    for module in (openpyxl.packaging.core, openpyxl.writer.excel):
        module.datetime = shifted  # type: ignore[attr-defined]  # openpyxl asks it for the time
    files = {name: form.render(calls.conversation(), calls.INFO, "ru") for name, form in FORMATS.items()}
    row = call_row(key="k", name="a", state="completed", transcript=calls.conversation(), info=calls.INFO, locale="ru")
    files["calls"] = calls_workbook([row], [Dialogue("k", "a", calls.conversation())], "ru")
    for name, data in files.items():
        sys.stdout.write(f"{name} {hashlib.sha256(data).hexdigest()}\n")
    sys.stdout.write(f"{openpyxl.Workbook().properties.created.year}\n")


if __name__ == "__main__":
    main()
