"""What a child may take of the machine. Applied in the child by `pipeline.isolation.child`."""

from __future__ import annotations

import contextlib
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_STATM: Final = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one child process; None is no limit. No child ever leaves a core file: it would hold the call.

    Attributes:
        memory_bytes: Address space that requests may take on top of what the child holds once its factory has returned
            (libraries and models reserve far more than they use, and more on larger machines).
        cpu_s: Processor seconds of one request, whole. Meeting it is ChildTimeout.
        open_files: File descriptors open at once, those of the interpreter included.
    """

    memory_bytes: int | None = None
    cpu_s: int | None = None
    open_files: int | None = None

    def apply_before_factory(self) -> None:
        """No core files; bound the descriptors."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if self.open_files is not None:
            _lower(resource.RLIMIT_NOFILE, self.open_files)

    def apply_after_factory(self) -> None:
        """Bound the memory from here on, for ever."""
        if self.memory_bytes is not None:
            _lower(resource.RLIMIT_AS, _address_space_bytes() + self.memory_bytes)

    def apply_before_request(self) -> None:
        """Give the coming request its processor seconds, counted from now."""
        if self.cpu_s is None:
            return
        usage = resource.getrusage(resource.RUSAGE_SELF)
        spent_s = int(usage.ru_utime + usage.ru_stime) + 1
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (_at_most(spent_s + self.cpu_s, hard), hard))


def _address_space_bytes() -> int:
    """What this process has mapped now; 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        return int(_STATM.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    return 0


def _lower(kind: int, wanted: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = _at_most(wanted, hard)
    resource.setrlimit(kind, (value, value))


def _at_most(wanted: int, hard: int) -> int:
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
