"""Where the tests of truth find the model, and recordings made on the spot for the others."""

from __future__ import annotations

import hashlib
import os
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from razgovor.cache import cache_folder
from services.transcriber import models
from services.transcriber.adapters.model_files import ModelFiles

SAMPLES = Path(__file__).parents[3] / "razgovor" / "demo" / "samples"
RATE_HZ = 8000


def base_model() -> ModelFiles:
    """Whisper base as `make model` left it in the cache; without it these tests fail, they are never passed over."""
    model = models.resolve("base", cache=cache_folder(os.environ), may_fetch=False)
    return ModelFiles(model.folder, model.name, model.sha256)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_wav(path: Path, *channels: NDArray[np.float64]) -> Path:
    """A 16-bit WAV at 8 kHz."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((np.stack(channels, axis=1) * 32767).astype("<i2").tobytes())
    return path


def silence(seconds: float) -> NDArray[np.float64]:
    return np.zeros(round(seconds * RATE_HZ))


def noise(seconds: float) -> NDArray[np.float64]:
    return np.random.default_rng(1).normal(0, 0.05, round(seconds * RATE_HZ))
