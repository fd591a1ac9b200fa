"""What can be wrong with what an evaluation is given."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import RazgovorError


class ReferenceInvalid(RazgovorError):
    """A reference that cannot be read as one; never says what stands in it."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
