"""What a child process can do to its parent's call. The caller says what that means for the call at hand."""

from __future__ import annotations

from typing import Final

from pipeline.errors import RazgovorError

OUT_OF_MEMORY_EXIT: Final = 112
"""The exit code of a child that met its memory limit in Python; native code aborts instead (a negative code)."""


class ChildError(RazgovorError):
    """The root: a child process gave no answer."""


class ChildCrashed(ChildError):
    """The child died in the middle of a request or before it was ready.

    Attributes:
        exit_code: As in subprocess: negative is the signal's number; 112 is out of memory.
    """

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"the child process died with exit code {self.exit_code}"


class ChildTimeout(ChildError):
    """The child took longer than it may, of wall time or of processor time, and was killed.

    Attributes:
        limit_s: The limit that it met.
    """

    def __init__(self, limit_s: float) -> None:
        super().__init__(limit_s)
        self.limit_s = limit_s

    def __str__(self) -> str:
        return f"the child process took more than {self.limit_s} s and was killed"


class ChildFailed(ChildError):
    """An exception that nobody foresaw, in the child. Its traceback, without its text, is on the child's standard error.

    Attributes:
        type_name: The exception's type; its text may hold personal data and stays in the child.
    """

    def __init__(self, type_name: str) -> None:
        super().__init__(type_name)
        self.type_name = type_name

    def __str__(self) -> str:
        return f"the child process raised {self.type_name}"


class ChildClosed(ChildError):
    """The child was closed by its owner and takes no more requests."""
