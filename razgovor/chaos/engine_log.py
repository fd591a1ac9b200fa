"""What the fake engines of all transcribers write down: which calls were heard, and by which process."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Final


class EngineLog:
    """Written to by several processes at once: one write a line, so lines never mix.

    Args:
        path: The file; made if it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._pid: Final = os.getpid()

    def begun(self, call: str) -> None:
        """`{job}/{run}` goes into this process' engine."""
        os.write(self._file, f"{self._pid} {call}\n".encode())


def engine_calls(path: Path) -> Counter[str]:
    """How often an engine was asked for each `{job}/{run}`."""
    return Counter(call for _, call in _lines(path))


def last_calls_of(path: Path, pid: int, count: int) -> list[str]:
    """The calls that the engine of a process was asked for, at most the `count` last ones."""
    return [call for heard_by, call in _lines(path) if heard_by == str(pid)][-count:]


def _lines(path: Path) -> list[tuple[str, str]]:
    if not path.exists():
        return []
    pairs = (line.partition(" ") for line in path.read_text(encoding="utf-8").splitlines())
    return [(pid, call) for pid, _, call in pairs]
