"""What a wheel holds: who installs one builds nothing, so the page, schemas and migrations are in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from razgovor.embedded.owned_process import SOURCE_ROOT

PACKAGES = ("pipeline", "razgovor", "schemas", "services")
#: What tools leave beside the sources.
LEFT_BY_TOOLS = {"__pycache__", "node_modules"}


def sources() -> set[str]:
    files = (file for package in PACKAGES for file in (SOURCE_ROOT / package).rglob("*") if file.is_file())
    return {str(file.relative_to(SOURCE_ROOT)) for file in files if not LEFT_BY_TOOLS & set(file.parts)}


def test_it_holds_every_file_of_every_package(tmp_path: Path) -> None:
    build = "import sys, hatchling.build; print(hatchling.build.build_wheel(sys.argv[1]))"
    made = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=SOURCE_ROOT, capture_output=True, text=True, check=True
    )
    with ZipFile(tmp_path / made.stdout.split()[-1]) as wheel:
        held = set(wheel.namelist())

    assert "services/ingest/page/index.html" in held
    assert sources() - held == set()
