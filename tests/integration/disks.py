"""A disk that is soon full: a small file system in memory, mounted for a test. Needs root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lacking import needs_root, skip_or_fail


class SmallDisk:
    """A mounted file system of `size_bytes`; `fill` leaves nothing of it, `free` gives that back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        with self._ballast.open("wb", buffering=0) as file:
            for step in (65_536, 512, 1):
                self._write_until_full(file.fileno(), step)

    def free(self) -> None:
        self._ballast.unlink()

    def _write_until_full(self, descriptor: int, step_bytes: int) -> None:
        try:
            while True:
                os.write(descriptor, bytes(step_bytes))
        except OSError:
            return


@contextmanager
def small_disk(folder: Path, *, size_bytes: int) -> Iterator[SmallDisk]:
    folder.mkdir()
    needs_root("it mounts a small disk")
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(folder)]
    if subprocess.run(mounting, check=False, capture_output=True).returncode:
        skip_or_fail("root may not mount a small disk on this machine: a container needs CAP_SYS_ADMIN")
    try:
        yield SmallDisk(folder)
    finally:
        unmounting = ["umount", "--lazy", str(folder)]
        subprocess.run(unmounting, check=True)
