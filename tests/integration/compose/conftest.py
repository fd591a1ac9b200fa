"""The compose file as Docker's own library reads it, and programs that check the rest."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from razgovor.cache import cache_folder
from razgovor.peers.programs import GO, PROMTOOL, Need, find, search_path
from tests.lacking import skip_or_fail

COMPOSE = Path(__file__).parents[3] / "compose"
CHECKER = COMPOSE / "checker"


def program(need: Need) -> Path:
    found = find(need)
    if found is None:
        skip_or_fail(need.told)
    return found


@pytest.fixture(scope="session")
def promtool() -> Path:
    return program(PROMTOOL)


@pytest.fixture(scope="session")
def checker() -> Path:
    """Built once into the user's cache; another source is another file."""
    sources = b"".join((CHECKER / name).read_bytes() for name in ("main.go", "go.mod", "go.sum"))
    binary = cache_folder(os.environ) / "peers/bin" / f"compose-checker-{hashlib.sha256(sources).hexdigest()[:16]}"
    if not binary.exists():
        go = program(GO)
        environment = {**os.environ, "PATH": search_path(os.environ)}
        scratch = binary.with_suffix(f".{os.getpid()}")
        command = [str(go), "build", "-mod=readonly", "-o", str(scratch), "."]
        subprocess.run(command, cwd=CHECKER, env=environment, check=True)
        scratch.replace(binary)
    return binary


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What secrets.sh makes."""
    folder = tmp_path_factory.mktemp("secrets") / "made"
    command = ["sh", str(COMPOSE / "secrets.sh"), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def project(checker: Path) -> dict[str, Any]:
    """compose.yaml with everything filled in."""
    done = subprocess.run([str(checker), str(COMPOSE / "compose.yaml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
