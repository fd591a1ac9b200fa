"""The Dockerfile by its linter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.integration.compose.conftest import COMPOSE


def test_hadolint_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    command = [str(linter), "--failure-threshold", "style", str(COMPOSE / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_the_build_sees_what_it_copies_and_no_secrets() -> None:
    root = COMPOSE.parent
    allowed = [
        line[1:] for line in (COMPOSE / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")
    ]
    assert all((root / path).exists() for path in allowed)
    copied = [
        word
        for line in (COMPOSE / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    assert set(copied) <= set(allowed)
    assert not any("secrets" in path for path in allowed)
