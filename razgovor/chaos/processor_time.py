"""What processes cost: the processor time of a process with all that it ever started, by name. For benches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor seconds by name, at one moment."""

    seconds: Mapping[str, float]

    def since(self, earlier: Spent) -> dict[str, float]:
        """What was spent after an earlier moment."""
        return {name: spent - earlier.seconds.get(name, 0.0) for name, spent in self.seconds.items()}


def spent(roots: Mapping[str, int]) -> Spent:
    """What these processes and all their descendants, those that have ended too, have spent until now.

    Args:
        roots: Process ids by name; several names may count into one `name-0`, `name-1`.
    """
    return Spent({name: _of_tree(psutil.Process(pid)) for name, pid in roots.items()})


def _of_tree(root: psutil.Process) -> float:
    return _own(root) + sum(_own(child) for child in root.children(recursive=True))


def _own(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
