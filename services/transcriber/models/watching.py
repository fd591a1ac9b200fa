"""Run a downloader as a child and watch its folder grow: that is the progress, and a child that stalls is ended.

A child can be ended cleanly at any moment, which threads of a library can't. Used by `packages` and `hub`.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.transcriber.models.errors import SourceFailed
from services.transcriber.models.progress import Progress
from services.transcriber.models.storage import folder_bytes

_LOOK_EVERY_S: Final = 0.2
_TERMINATE_WITHIN_S: Final = 5.0
#: Longer than the read timeout (with retries) of pip and of the hub's client.
STALL_TIMEOUT_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How the child ended."""

    status: int
    output: str
    errors: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What to watch.

    Attributes:
        folder: Where the child writes.
        total_bytes: What it will write in all; None where nobody knows.
    """

    folder: Path
    stage: str
    total_bytes: int | None
    progress: Progress
    stall_timeout_s: float = STALL_TIMEOUT_S


def run_watched(command: Sequence[str], watch: Watch, *, extra_environment: Mapping[str, str]) -> Ended:
    """Run the command to its end.

    Raises:
        SourceFailed: It wrote nothing for the stall timeout.
    """
    inherited = os.environ  # noqa: TID251  handed on to the child with its proxies and index; nothing of it is read
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env={**inherited, **extra_environment},
        )
        try:
            _follow(child, watch)
        finally:
            _end(child)
        output.seek(0)
        errors.seek(0)
        return Ended(child.returncode, output.read().decode(errors="replace"), errors.read().decode(errors="replace"))


def _follow(child: subprocess.Popen[bytes], watch: Watch) -> None:
    most_bytes = 0
    seen_bytes = -1
    grew_at_s = time.monotonic()
    while True:
        try:
            child.wait(timeout=_LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            now_bytes = folder_bytes(watch.folder)
        else:
            return
        if now_bytes != seen_bytes:
            seen_bytes, grew_at_s = now_bytes, time.monotonic()
        if time.monotonic() - grew_at_s > watch.stall_timeout_s:
            raise SourceFailed(f"nothing came for {watch.stall_timeout_s:.0f} s")
        # Bytes are counted twice while a finished file is copied, and once again when its original is gone.
        most_bytes = max(most_bytes, min(now_bytes, watch.total_bytes or now_bytes))
        watch.progress(watch.stage, most_bytes, watch.total_bytes)


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(timeout=_TERMINATE_WITHIN_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
