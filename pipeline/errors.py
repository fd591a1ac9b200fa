"""Kinds of failure. Whoever raises says *what kind*; the runner decides *what to do*.

RazgovorError
├── CallFault     a known fault of one call: the job fails with its reason; never the DLQ
├── Transient     the dependency's fault: the same event again after a pause, for as long as it takes
├── Permanent     this record can never be handled: the DLQ
└── Fatal         this process cannot go on: exit non-zero, offset untouched
"""

from __future__ import annotations

from collections.abc import Mapping


class RazgovorError(Exception):
    """The root of all our errors."""


class CallFault(RazgovorError):
    """A known fault of one call: broken file, too long, no audio.

    Attributes:
        reason: A code of schemas/reasons.toml.
        details: Figures that the reason's text names (a limit, what was found). Never text of the call.
    """

    def __init__(self, reason: str, **details: str | float) -> None:
        super().__init__(reason, details)
        self.reason = reason
        self.details: Mapping[str, str] = {name: str(value) for name, value in details.items()}

    def __reduce__(self) -> tuple[object, ...]:
        """Travel whole through the pipe of a child process."""
        return _rebuild_call_fault, (self.reason, dict(self.details))


def _rebuild_call_fault(reason: str, details: dict[str, str]) -> CallFault:
    return CallFault(reason, **details)


class Transient(RazgovorError):
    """A dependency does not answer now.

    Attributes:
        retry_after_s: How long the dependency asks to be left alone; 0 leaves it to the runner's backoff.
    """

    def __init__(self, message: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Permanent(RazgovorError):
    """This record can never be handled: put it aside.

    Attributes:
        reason: Short stable code for the DLQ's header, e.g. `undecodable`. No personal data.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Fatal(RazgovorError):
    """This process cannot go on; somebody has to look."""
