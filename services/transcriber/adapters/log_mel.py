"""The log-mel spectrum that Whisper listens to. Computed by the front end and kept beside the channel's samples, so that
the process with the accelerator does not spend its time on it; by the recognizer itself where there is no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from math import log
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.transcriber.adapters import pcm
from services.transcriber.domain.timeline import SAMPLE_RATE_HZ
from services.transcriber.domain.windows import MelFile, Window

#: Frames of 25 ms, one every 10 ms.
FRAMES_PER_S: Final = 100
_HOP: Final = SAMPLE_RATE_HZ // FRAMES_PER_S
_FFT: Final = 400
_VALUE_BYTES: Final = 4
# Slaney's mel scale: linear below 1 kHz, logarithmic above.
_LINEAR_HZ: Final = 200.0 / 3
_LOG_FROM_HZ: Final = 1000.0
_LOG_STEP: Final = log(6.4) / 27.0
_FLOOR: Final = 1e-10
_RANGE: Final = 8.0

Mel = NDArray[np.float32]


def log_mel(samples: pcm.Samples, bins: int) -> Mel:
    """The spectrum of a passage, shape (bins, frames), C order; as OpenAI's, without padding to 30 s.

    Args:
        samples: At 16 kHz.
        bins: 80, or 128 for the large-v3 family.
    """
    padded = np.pad(samples, (0, _HOP))
    padded = np.pad(padded, (_FFT // 2, _FFT // 2), mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP][: samples.size // _HOP]
    window = np.hanning(_FFT + 1)[:-1].astype(np.float32)
    spectrum = np.fft.rfft(frames * window).astype(np.complex64)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    decades = np.log10(np.maximum(_filters(bins) @ power.T, _FLOOR))
    return np.asarray((np.maximum(decades, decades.max() - _RANGE) + 4) / 4, dtype=np.float32)


@lru_cache
def _filters(bins: int) -> Mel:
    """Triangles over the FFT's frequencies, each of area one, shape (bins, frequencies)."""
    edges_hz = _to_hz(np.linspace(0.0, _to_mel(SAMPLE_RATE_HZ / 2), bins + 2))
    frequencies = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE_HZ)
    slopes = (edges_hz[:, None] - frequencies) / np.diff(edges_hz, append=np.inf)[:, None]
    rising = -slopes[:-2]
    falling = (edges_hz[2:, None] - frequencies) / np.diff(edges_hz)[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(triangles * (2 / (edges_hz[2:] - edges_hz[:-2]))[:, None], dtype=np.float32)


def _to_mel(hz: float) -> float:
    return _LOG_FROM_HZ / _LINEAR_HZ + log(hz / _LOG_FROM_HZ) / _LOG_STEP


def _to_hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = mels * _LINEAR_HZ
    logarithmic = _LOG_FROM_HZ * np.exp(_LOG_STEP * (mels - _LOG_FROM_HZ / _LINEAR_HZ))
    return np.where(linear < _LOG_FROM_HZ, linear, logarithmic)


def written(windows: Iterable[Window], folder: Path, bins: int) -> Iterator[Window]:
    """The same windows, each with its spectrum in a file of its channel.

    Args:
        windows: Of one call, those of a channel in a row.
        folder: Where the files go.
        bins: Of the spectrum.
    """
    for window in windows:
        path = folder / f"{window.channel}.mel"
        mel = log_mel(pcm.read_window(window), bins)
        with path.open("ab") as file:
            offset = file.tell()
            file.write(mel.tobytes())
        yield replace(window, mel=MelFile(path, offset, bins, mel.shape[1]))


def read(mel: MelFile) -> Mel:
    """What was written, shape (bins, frames)."""
    values = np.fromfile(mel.path, dtype=np.float32, count=mel.bins * mel.frames, offset=mel.offset_bytes)
    return values.reshape(mel.bins, mel.frames)
