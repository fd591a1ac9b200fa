"""Kinds of failure. Whoever raises says *what kind*; the runner decides *what to do*.

RazgovorError
├── CallFault     a known fault of one call: the job fails with its reason; never the DLQ
│   ├── RetriableFault  the same, if it is still so after three attempts
│   └── WorkerCrashed   the call crashes whoever works on it: failed, and the record goes to the DLQ too
├── Transient     a dependency does not answer: the same event again after a pause, for as long as it takes; if its canary
│   │             works and only this event fails, three attempts
│   └── Unavailable     not the event's doing, whatever a canary says: never an attempt
│       └── Postponed       nobody's fault: to be done later, after all that waits, or by another
├── CalledOff     the job's run was canceled or erased: nothing more is done or said, and the offset passes
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
        return _rebuild_call_fault, (type(self), self.reason, dict(self.details))


def _rebuild_call_fault(kind: type[CallFault], reason: str, details: dict[str, str]) -> CallFault:
    return kind(reason, **details)


class RetriableFault(CallFault):
    """Looks like a fault of this call and may pass, such as an object that a store shows late: tried again first."""


class WorkerCrashed(CallFault):
    """The work on this call crashed its worker again and again."""

    def __init__(self) -> None:
        super().__init__("worker_crashed")

    def __reduce__(self) -> tuple[object, ...]:
        """Travel whole through the pipe of a child process."""
        return WorkerCrashed, ()


class Transient(RazgovorError):
    """A dependency does not answer now.

    Attributes:
        retry_after_s: How long the dependency asks to be left alone; 0 leaves it to the runner's backoff.
    """

    def __init__(self, message: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(Transient):
    """Certainly not the event's doing: the broker takes nothing, this worker is being closed, the fuse has blown.

    Waited for like any Transient; never held against the event as an attempt.
    """


class Postponed(Unavailable):
    """Nothing is wrong, but this work is not to be done now: the runner takes it again after all that waits.

    Where its partition is another's by then, or the process drains, it is left to the next owner instead.
    `retry_after_s` says when at the earliest.
    """


class CalledOff(RazgovorError):
    """Nobody wants the work on this run any more: its job was canceled or erased, and ingest says so by itself."""


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
