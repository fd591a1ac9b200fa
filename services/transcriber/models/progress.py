"""How a long get says where it is. The command line draws it; a service passes `silent` or logs it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called often, from the getting thread; must be quick and never raise."""

    def __call__(self, stage: str, done_bytes: int, total_bytes: int | None) -> None:
        """Report.

        Args:
            stage: What is being done, in a few words for people; a new stage starts at 0 again.
            done_bytes: Bytes done in this stage.
            total_bytes: Bytes of this stage; None where nobody knows.
        """


def silent(stage: str, done_bytes: int, total_bytes: int | None) -> None:
    """Say nothing."""
