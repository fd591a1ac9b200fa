"""Which process a number means: numbers are given again, so a start time goes with it."""

from __future__ import annotations

from pathlib import Path


def started_at(pid: int) -> int | None:
    """When a process started, in the kernel's ticks since it booted; None if there is none, or only its remains."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if words[0] == "Z" else int(words[19])
