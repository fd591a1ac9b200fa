"""The product as a black box: its console script in a process of its own. Imports nothing of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

RAZGOVOR: Final = Path(sys.executable).with_name("razgovor")


def start_razgovor(
    *arguments: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """A process of ours, both outputs in one pipe; `environment` over that of the test."""
    return subprocess.Popen(
        [str(RAZGOVOR), *arguments],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


def run_razgovor(
    *arguments: str, cwd: Path | None = None, timeout_s: float = 600, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run to the end."""
    process = start_razgovor(*arguments, cwd=cwd, environment=environment)
    try:
        printed, _ = process.communicate(timeout=timeout_s)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, printed)
