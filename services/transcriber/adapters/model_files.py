"""Which model the engine loads: a folder with a CTranslate2 Whisper, and what to call it in transcripts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model on disk.

    Attributes:
        folder: Holds model.bin, config.json, tokenizer.json and vocabulary.json.
        name: As the catalogue calls it.
        sha256: Of model.bin.
    """

    folder: Path
    name: str
    sha256: str
