"""Installs what Debian's packages give of what peers need, when we are root on a Debian. Called by `razgovor peers start --install`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Final

from razgovor.embedded.errors import EmbeddedFailed
from razgovor.peers.artefacts import Progress
from razgovor.peers.catalogue import PEERS
from razgovor.peers.programs import OF_TESTS, lacking

TIMEOUT_S: Final = 1_200.0


def install_missing(names: Sequence[str], progress: Progress) -> None:
    """Install the packages of what these peers lack. Elsewhere than as root on a Debian it does nothing.

    Raises:
        EmbeddedFailed: apt-get failed.
    """
    needs = (need for name in names for need in PEERS[name].needs())
    missing = lacking(list(dict.fromkeys((*needs, *OF_TESTS))))
    packages = sorted({need.package for need in missing if need.package is not None})
    if not packages or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    progress(f"installing {' '.join(packages)}")
    _apt("update")
    _apt("install", "--yes", "--no-install-recommends", *packages)


def _apt(*arguments: str) -> None:
    done = subprocess.run(
        ["apt-get", "--quiet", *arguments],  # noqa: S607  # the system's own
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise EmbeddedFailed(f"apt-get {arguments[0]} failed: {(done.stdout + done.stderr)[-2000:].strip()}")
