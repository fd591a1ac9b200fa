"""The spectrum that the front end computes is the one that faster-whisper would."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from services.transcriber.adapters import pcm
from services.transcriber.adapters.log_mel import log_mel, read, written
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.requests import WhisperOptions
from services.transcriber.adapters.whisper import Whisper
from services.transcriber.domain.hearing import Batch, Passage
from services.transcriber.domain.timeline import Span
from services.transcriber.domain.windows import Window
from services.transcriber.fakes import window

RATE_HZ = 16_000


@pytest.fixture
def windows(tmp_path: Path) -> list[Window]:
    found: list[Window] = []
    for channel in (0, 1):
        path = tmp_path / f"{channel}.f32"
        noise = np.random.default_rng(channel).normal(0, 0.1, RATE_HZ * 40).astype(np.float32)
        noise.tofile(path)
        found.append(window(channel, (0.0, 2.0), (3.0, 7.01), pcm=path))
        found.append(window(channel, (8.0, 36.0), index=1, pcm=path))
    return found


@pytest.mark.parametrize("bins", [80, 128])
@pytest.mark.parametrize("samples", [RATE_HZ * 28, RATE_HZ * 3 + 77, RATE_HZ + 159, 1600])
def test_it_is_faster_whispers(bins: int, samples: int) -> None:
    sound = np.random.default_rng(samples).normal(0, 0.1, samples).astype(np.float32)
    theirs = FeatureExtractor(feature_size=bins)(sound)[..., :-1]

    ours = log_mel(sound, bins)

    assert ours.dtype == np.float32
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-5


def test_silence_has_a_spectrum_too() -> None:
    assert np.isfinite(log_mel(np.zeros(RATE_HZ, dtype=np.float32), 80)).all()


def test_every_window_gets_its_own_out_of_its_channels_file(windows: list[Window], tmp_path: Path) -> None:
    found = list(written(windows, tmp_path, 80))

    assert [replace(each, mel=None) for each in found] == windows
    for each in found:
        assert each.mel is not None
        assert np.array_equal(read(each.mel), log_mel(pcm.read_window(each), 80))
    assert len({each.mel.path for each in found if each.mel is not None}) == 2


def test_what_is_heard_is_the_same_with_and_without_the_file(
    tiny_model: ModelFiles, windows: list[Window], tmp_path: Path
) -> None:
    whisper = Whisper(tiny_model, WhisperOptions(compute_type="float32"))
    with_files = list(written(windows, tmp_path, 80))

    def hear(of: list[Window]) -> list[object]:
        return [whisper.hear(Batch(passages=(Passage.whole(each),), language="ru")) for each in of]

    assert hear(with_files) == hear(windows)
    half = Span(0, windows[0].samples // 2)
    parts = [Passage(window=each[0], part=half) for each in (windows, with_files)]
    assert whisper.hear(Batch(passages=(parts[0],), language="ru")) == whisper.hear(
        Batch(passages=(parts[1],), language="ru")
    )
