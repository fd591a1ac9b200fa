"""`make audit-deps`: asks PyPI which locked packages have known vulnerabilities, by pip-audit.

    python requirements/audit.py requirements/runtime.txt requirements/dev.txt

Exit status 1: there are findings. 0: there are none; or nobody could be asked, which is said: a machine that reaches an
index without PyPI's JSON interface, or none, can tell nothing, and pip-audit alone would call that "no known
vulnerabilities". So one package is asked for first, and what was skipped is counted.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

#: Known to PyPI for ever, and asked for alone to find out whether it answers.
_CANARY: Final = "pip-audit"
_PINNED: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)
#: Name and version of packages in, pip-audit's report out; None: it could not run.
Ask: TypeAlias = Callable[[Sequence[tuple[str, str]]], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of it.

    Attributes:
        findings: A line for each vulnerability.
        skipped: Packages that PyPI did not know of.
        asked: How many it told of.
    """

    findings: tuple[str, ...]
    skipped: tuple[str, ...]
    asked: int


def locked(text: str) -> list[tuple[str, str]]:
    """Name and version of every package of a lock."""
    return [(match["name"], match["version"]) for match in _PINNED.finditer(text)]


def verdict(report: dict[str, Any]) -> Verdict:
    """What pip-audit's report says."""
    packages = report["dependencies"]
    return Verdict(
        findings=tuple(
            f"{package['name']} {package['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or '?'}"
            for package in packages
            for found in package.get("vulns", ())
        ),
        skipped=tuple(package["name"] for package in packages if "skip_reason" in package),
        asked=sum("skip_reason" not in package for package in packages),
    )


def audit(packages: Sequence[tuple[str, str]], ask: Ask) -> tuple[int, str]:
    """Exit status and what to say."""
    canary = [package for package in packages if package[0] == _CANARY] or list(packages[:1])
    first = ask(canary)
    if first is None or not verdict(first).asked:
        return 0, f"NOT AUDITED: PyPI's JSON interface does not answer here; {len(packages)} packages were not asked for"
    report = ask(packages)
    if report is None:
        return 0, f"NOT AUDITED: PyPI stopped to answer; {len(packages)} packages were not asked for"
    found = verdict(report)
    skipped = f"; not known there: {', '.join(found.skipped)}" if found.skipped else ""
    if found.findings:
        return 1, "\n".join(found.findings)
    return 0, f"no known vulnerabilities in {found.asked} packages{skipped}"


def by_pip_audit(packages: Sequence[tuple[str, str]]) -> dict[str, Any] | None:
    """Ask PyPI; see `Ask`."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.writelines(f"{name}=={version}\n" for name, version in packages)
        file.flush()
        options = ("--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json")
        command = [sys.executable, "-m", "pip_audit", "-r", file.name, *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:  # no connection: its words are on standard error
        return None
    return report


def main() -> int:
    """Audit the locks that the command line names; the exit status."""
    packages = sorted({package for name in sys.argv[1:] for package in locked(Path(name).read_text(encoding="utf-8"))})
    status, said = audit(packages, by_pip_audit)
    print(said)  # noqa: T201  the answer of a command
    return status


if __name__ == "__main__":
    sys.exit(main())
