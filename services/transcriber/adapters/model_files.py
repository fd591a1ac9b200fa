"""Which model a recognizer loads: its folder, and what to call it in transcripts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model on disk.

    Attributes:
        folder: Holds what `models.formats` says of its kind.
        name: As the catalogue calls it.
        sha256: Of the weights.
    """

    folder: Path
    name: str
    sha256: str
