"""`make audit-deps`, for the page: asks npm's registry which of its locked packages have known vulnerabilities.

    python requirements/audit_npm.py services/ingest/page

Exit status 1: there are findings. 0: there are none; or nobody could be asked (no npm, no network, a mirror without advisories),
which is said: `npm audit` itself ends alike for a finding and for a registry that does not answer.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any


def audit(report: dict[str, Any] | None) -> tuple[int, str]:
    """Exit status and what to say about a report of `npm audit --json`; None: there is no npm."""
    if report is None:
        return 0, "NOT AUDITED: no npm here; the page's packages were not asked for"
    if "vulnerabilities" not in report:
        return 0, "NOT AUDITED: npm's registry gives no advisories here; the page's packages were not asked for"
    if found := report["vulnerabilities"]:
        return 1, "\n".join(f"{name} {one['range']}: {one['severity']}" for name, one in sorted(found.items()))
    return 0, f"no known vulnerabilities in {report['metadata']['dependencies']['total']} packages of the page"


def by_npm(folder: Path) -> dict[str, Any] | None:
    """Ask npm about a folder with a package-lock.json; its report, or what it says of an error."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    command = [npm, "audit", "--package-lock-only", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {}
    return report


def main() -> int:
    """Audit the folder that the command line names; the exit status."""
    status, said = audit(by_npm(Path(sys.argv[1])))
    print(said)  # noqa: T201  the answer of a command
    return status


if __name__ == "__main__":
    sys.exit(main())
