from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from requirements.audit import audit, locked

LOCKS = Path(__file__).parents[3] / "requirements"
PACKAGES = [("a", "1.0"), ("b", "2.0"), ("pip-audit", "2.10.1")]


class PyPI:
    """Answers as pip-audit reports; `unknown` packages are skipped, `vulnerable` ones have a finding."""

    def __init__(self, *, unknown: Sequence[str] = (), vulnerable: Sequence[str] = (), answers: bool = True) -> None:
        self._unknown, self._vulnerable, self._answers = unknown, vulnerable, answers
        self.asked: list[int] = []

    def __call__(self, packages: Sequence[tuple[str, str]]) -> dict[str, Any] | None:
        self.asked.append(len(packages))
        return {"dependencies": [self._told(*package) for package in packages]} if self._answers else None

    def _told(self, name: str, version: str) -> dict[str, Any]:
        if name in self._unknown:
            return {"name": name, "skip_reason": "Dependency not found on PyPI"}
        vulns = [{"id": "PYSEC-1", "fix_versions": ["9"]}] if name in self._vulnerable else []
        return {"name": name, "version": version, "vulns": vulns}


def test_a_finding_fails() -> None:
    assert audit(PACKAGES, PyPI(vulnerable=["b"])) == (1, "b 2.0: PYSEC-1, mended in 9")


def test_nothing_found_says_of_how_many_and_what_was_skipped() -> None:
    assert audit(PACKAGES, PyPI()) == (0, "no known vulnerabilities in 3 packages")
    assert audit(PACKAGES, PyPI(unknown=["a"]))[1].endswith("in 2 packages; not known there: a")


def test_where_nobody_answers_that_is_said_after_one_question() -> None:
    for silent in (PyPI(answers=False), PyPI(unknown=["a", "b", "pip-audit"])):
        status, said = audit(PACKAGES, silent)
        assert (status, said.startswith("NOT AUDITED"), silent.asked) == (0, True, [1])


def test_every_package_of_a_lock_is_read() -> None:
    for name in ("runtime.txt", "dev.txt"):
        text = (LOCKS / name).read_text(encoding="utf-8")
        assert len(locked(text)) == sum("==" in line and not line.startswith((" ", "#")) for line in text.splitlines())
        assert "python-multipart" in dict(locked(text))
    assert locked('a-b==1.0 ; sys_platform == "x" \\\n    --hash=sha256:ab\nc==2\n') == [("a-b", "1.0"), ("c", "2")]
