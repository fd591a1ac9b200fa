"""The packages of a bundle: wheels of the locked closure, of ourselves and of pip, and a lock that names exactly these files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from razgovor.embedded.errors import EmbeddedFailed
from razgovor.peers.artefacts import Progress, sha256_of

TIMEOUT_S: Final = 3_600.0
#: What every service needs, and the second engine.
LOCKS: Final = (Path("requirements/runtime.txt"), Path("requirements/onnx.txt"))


def build_wheelhouse(source: Path, folder: Path, progress: Progress) -> None:
    """Fill a folder with wheels.

    What is locked by hash is fetched by hash; what has no wheel is built from its locked source. So the files here can differ
    from those locked, and `lock_of` names these.

    Args:
        source: Our source tree.
        folder: Made if absent.
        progress: Told what is going on.

    Raises:
        EmbeddedFailed: Something can't be fetched or built.
    """
    progress("packages: fetching the locked closures")
    for lock in LOCKS:
        _pip("wheel", "--no-deps", "--require-hashes", "--wheel-dir", str(folder), "--requirement", str(source / lock))
    progress("packages: building our own")
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    progress("packages: fetching pip")
    _pip("download", "--no-deps", "--only-binary=:all:", "--dest", str(folder), f"pip=={pip_version()}")


def pip_version() -> str:
    """The version of the pip that runs here."""
    done = run([sys.executable, "-m", "pip", "--version"])
    return done.split()[1]


def lock_of(folder: Path, *, without: Sequence[str] = ("pip",)) -> str:
    """A requirements file that names every wheel of a folder by its hash, except some."""
    lines = []
    for wheel in sorted(folder.glob("*.whl")):
        name, version, *_ = wheel.name.split("-")
        if name not in without:
            lines.append(f"{name}=={version} --hash=sha256:{sha256_of(wheel)}")
    return "\n".join(lines) + "\n"


def _pip(command: str, *arguments: str) -> None:
    run([sys.executable, "-m", "pip", command, "--disable-pip-version-check", "--quiet", *arguments])


def run(command: Sequence[str]) -> str:
    """What a program of the build says.

    Raises:
        EmbeddedFailed: It failed; the text ends with what it said.
    """
    done = subprocess.run(
        command, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if done.returncode != 0:
        raise EmbeddedFailed(f"{' '.join(command[:4])} failed: {(done.stdout + done.stderr)[-2000:].strip()}")
    return done.stdout
