"""What is heard on a telephone line when nobody speaks, made on the spot: 8 kHz, -1 to 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.integration.transcriber.recordings import RATE_HZ

Sound = NDArray[np.float64]

SECONDS: Final = 12
_T: Final = np.arange(SECONDS * RATE_HZ) / RATE_HZ


def _rng() -> np.random.Generator:
    return np.random.default_rng(7)


def _tone(*frequencies_hz: float, level: float = 0.2) -> Sound:
    return np.asarray(np.sum([level * np.sin(2 * np.pi * hz * _T) for hz in frequencies_hz], axis=0))


def _gate(on_s: float, off_s: float) -> Sound:
    return (_T % (on_s + off_s) < on_s).astype(np.float64)


def _sweep(frequency_hz: Sound, level: float = 0.2) -> Sound:
    return level * np.sin(2 * np.pi * np.cumsum(frequency_hz) / RATE_HZ)


def _band(low_hz: float, high_hz: float, level: float) -> Sound:
    spectrum = np.fft.rfft(_rng().normal(0, 1, _T.size))
    frequency_hz = np.fft.rfftfreq(_T.size, 1 / RATE_HZ)
    spectrum[(frequency_hz < low_hz) | (frequency_hz > high_hz)] = 0
    sound = np.fft.irfft(spectrum, _T.size)
    return np.asarray(level * sound / sound.std())


def _line(sound: Sound) -> Sound:
    """With the noise of a line."""
    return sound + _rng().normal(0, 0.002, sound.size)


def _dtmf() -> Sound:
    presses = (_T // 0.25).astype(int)
    low = _rng().choice([697, 770, 852, 941], presses.max() + 1)[presses]
    high = _rng().choice([1209, 1336, 1477], presses.max() + 1)[presses]
    return (_sweep(low, 0.15) + _sweep(high, 0.15)) * _gate(0.12, 0.13)


def _melody(harmonics: int, vibrato: float) -> Sound:
    """Notes of half a second, with overtones: hold music."""
    notes_hz = _rng().choice([220, 247, 262, 294, 330, 349, 392, 440], SECONDS * 2).repeat(RATE_HZ // 2)
    frequency_hz = notes_hz * (1 + vibrato * np.sin(2 * np.pi * 5.5 * _T))
    decay = np.exp(-2 * (_T % 0.5) / 0.5)
    overtones = np.stack([_sweep(frequency_hz * n, 1 / n) for n in range(1, harmonics + 1)])
    return np.asarray(0.2 * decay * overtones.sum(axis=0))


KINDS: Final[Mapping[str, Callable[[], Sound]]] = {
    "silence": lambda: _T * 0,
    "line": lambda: _line(_T * 0),
    "dial_tone": lambda: _line(_tone(425)),
    "busy": lambda: _line(_tone(425) * _gate(0.35, 0.35)),
    "ringback": lambda: _line(_tone(425) * _gate(1.0, 4.0)),
    "ringback_of_two_tones": lambda: _line(_tone(440, 480) * _gate(2.0, 4.0)),
    "information_tones": lambda: _line(_sweep(np.select([_T % 2 < 0.33, _T % 2 < 0.66], [950.0, 1400.0], 1800.0))),
    "fax": lambda: _line(_tone(1100) * _gate(0.5, 3.0)),
    "dtmf": lambda: _line(_dtmf()),
    "piano": lambda: _line(_melody(5, 0.0)),
    "strings": lambda: _line(_melody(9, 0.01)),
    "siren": lambda: _line(_sweep(700 + 400 * np.sin(2 * np.pi * 0.5 * _T))),
    "hiss": lambda: _rng().normal(0, 0.05, _T.size),
    "rumble": lambda: _band(20, 300, 0.1),
    "murmur": lambda: _band(300, 800, 0.1) * np.clip(_band(1, 5, 1.0), 0, None),
    "breath": lambda: _band(300, 3000, 0.06) * np.clip(np.sin(2 * np.pi * 0.3 * _T), 0, None) ** 2,
    "hum": lambda: np.sum([_tone(50 * n, level=0.05 / n) for n in range(1, 12)], axis=0),
}
