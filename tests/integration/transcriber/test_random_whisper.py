"""A random Whisper of another shape: it loads, says its text to every sound, and nothing takes that for a loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel

from services.transcriber.adapters.log_mel import log_mel
from services.transcriber.adapters.passages import hear
from services.transcriber.domain.hearing import Search
from services.transcriber.testing.random_whisper import Shape, build, made_up_words

SHAPE = Shape(width=256, heads=4, encoder_layers=2, decoder_layers=3, mels=128, tokens=2000)


def test_a_model_of_a_larger_shape_says_its_whole_text(tmp_path: Path) -> None:
    words = made_up_words(100)
    folder = build(tmp_path / "model", SHAPE, words)
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
    sound = np.random.default_rng(1).normal(0, 0.1, 16_000 * 12).astype(np.float32)
    [attempt] = hear(model, [log_mel(sound, SHAPE.mels)], "ru", Search(beam_size=1), 30.0)
    assert attempt.text.split() == list(words)
    assert not attempt.failed
    assert model.model.n_mels == SHAPE.mels
