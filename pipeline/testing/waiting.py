"""Wait for a condition with a deadline, never for a time to pass."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T], *, deadline_s: float = 20.0, every_s: float = 0.02) -> T:
    """The first truthy answer of `look`.

    Raises:
        AssertionError: None came before the deadline; names the last answer.
    """
    ends_at = time.monotonic() + deadline_s
    pause = threading.Event()
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > ends_at:
            raise AssertionError(f"not within {deadline_s} s; last answer: {answer!r}")
        pause.wait(every_s)
