"""A CTranslate2 Whisper of a megabyte, made of NumPy in a tenth of a second: it says the same words to every sound.

For tests of the engine's wiring: it loads, encodes, searches, aligns and decodes like a real one, and hears nothing. Or, where
it must show whose sound a text belongs to, it listens: then it says other words to other sounds, none of them sense.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from services.transcriber.testing import random_whisper

WORDS: Final = ("Раз", "два", "три")
#: So many words does the listening one say, each one of so many.
_SAID: Final = 16
_CHOICES: Final = 8


def build(folder: Path, words: tuple[str, ...] = WORDS, seed: int = 0) -> Path:
    """Write the model into the folder; see `random_whisper.build`."""
    return random_whisper.build(folder, random_whisper.TINY, words, seed)


def build_listening(folder: Path, seed: int = 0) -> Path:
    """Write one whose words depend on what it hears; see `random_whisper.build`."""
    words = random_whisper.made_up_words(_SAID * _CHOICES, seed)
    return random_whisper.build(folder, random_whisper.TINY, words, seed, choices=_CHOICES)
