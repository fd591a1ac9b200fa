"""A CTranslate2 Whisper of a megabyte, made of NumPy in a tenth of a second: it says the same words to every sound.

For tests of the engine's wiring: it loads, encodes, searches, aligns and decodes like a real one, and hears nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from services.transcriber.testing import random_whisper

WORDS: Final = ("Раз", "два", "три")


def build(folder: Path, words: tuple[str, ...] = WORDS, seed: int = 0) -> Path:
    """Write the model into the folder; see `random_whisper.build`."""
    return random_whisper.build(folder, random_whisper.TINY, words, seed)
