"""A lock on a file, held by an open descriptor: free again as soon as every process that has it is gone, however it went.

Whoever starts a child may let it inherit the descriptor; so it is known for sure whether one still lives.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from razgovor.embedded.errors import HomeBusy

POLL_S: Final = 0.05


def take(path: Path, *, timeout_s: float, otherwise: str) -> int:
    """Take a lock; close the descriptor returned to let it go.

    Raises:
        HomeBusy: Somebody else has it for longer than the timeout; with the text `otherwise`.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + timeout_s
    while not _try(lock):
        if time.monotonic() >= deadline:
            os.close(lock)
            raise HomeBusy(otherwise)
        time.sleep(POLL_S)
    return lock


def is_held(path: Path) -> bool:
    """Whether somebody has the lock."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        return not _try(lock)
    finally:
        os.close(lock)


def _try(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
