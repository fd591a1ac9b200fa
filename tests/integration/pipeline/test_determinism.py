from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from pipeline.formats import FORMATS
from tests.unit.pipeline.formats import calls

ROOT = Path(__file__).parents[3]


def _start(years: int, hash_seed: str, zone: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.unit.pipeline.formats.render_once", str(years)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": zone},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_under_two_clocks_make_the_same_bytes() -> None:
    processes = [_start(0, "1", "UTC"), _start(9, "2", "Asia/Vladivostok")]
    outputs = [process.communicate(timeout=60)[0].splitlines() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    *hashes, year = outputs[0]
    assert len(hashes) == len(FORMATS) + 1
    assert outputs[1][:-1] == hashes
    assert int(outputs[1][-1]) - int(year) in {8, 9}  # the clocks did differ


def test_no_entry_of_the_package_has_a_time_of_its_own() -> None:
    with ZipFile(io.BytesIO(FORMATS["xlsx"].render(calls.conversation(), calls.INFO, "ru"))) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        names = package.namelist()
        core = package.read("docProps/core.xml").decode()
    assert names[:2] == ["[Content_Types].xml", "_rels/.rels"]
    assert names[2:] == sorted(names[2:])
    assert core.count("1980-01-01T00:00:00Z") == 2
