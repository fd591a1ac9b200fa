"""The product as a black box: its console script in a process of its own. Imports nothing of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

RAZGOVOR: Final = Path(sys.executable).with_name("razgovor")


def start_razgovor(*arguments: str, cwd: Path | None = None) -> subprocess.Popen[str]:
    """A process of ours, both outputs in one pipe."""
    return subprocess.Popen(
        [str(RAZGOVOR), *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


def run_razgovor(*arguments: str, cwd: Path | None = None, timeout_s: float = 600) -> subprocess.CompletedProcess[str]:
    """Run to the end."""
    process = start_razgovor(*arguments, cwd=cwd)
    try:
        printed, _ = process.communicate(timeout=timeout_s)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, printed)
