"""Waiting with a deadline on a condition: commands wait for the stack, tests for what they expect."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from razgovor.embedded.errors import EmbeddedFailed

POLL_S: Final = 0.02


def until(condition: Callable[[], bool], timeout_s: float, what: str = "what was awaited did not happen") -> None:
    """Return when the condition holds.

    Raises:
        EmbeddedFailed: It did not hold in time.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise EmbeddedFailed(f"{what} within {timeout_s:.0f} s")
        time.sleep(POLL_S)
