"""docs/bad-inputs.md names tests that exist: a row without a test is not done."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "bad-inputs.md"
_TEST = re.compile(r"`(?P<file>tests/[\w/]+\.py)::(?P<name>test_\w+)`")


def rows() -> list[str]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("|") and not line.startswith(("| input", "|---"))]


def test_every_row_names_tests_and_they_exist() -> None:
    assert len(rows()) > 20
    for row in rows():
        named = list(_TEST.finditer(row))
        assert named, row
        missing = [
            match[0]
            for match in named
            if not (ROOT / match["file"]).exists()
            or not re.search(rf"^(async )?def {match['name']}\(", (ROOT / match["file"]).read_text(), re.MULTILINE)
        ]
        assert missing == []
