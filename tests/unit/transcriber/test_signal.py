from __future__ import annotations

import numpy as np
import pytest

from services.transcriber.domain.preparation import ChannelFrames
from services.transcriber.domain.signal import Signal, signal_of
from services.transcriber.domain.timeline import FRAME_SAMPLES, Piece, Span

FRAMES = 100


def channel(noise_db: float = -60.0, **stretches: tuple[int, int, float]) -> ChannelFrames:
    levels = np.full(FRAMES, noise_db, dtype=np.float32)
    for start, end, level_db in stretches.values():
        levels[start:end] = level_db
    return ChannelFrames(
        probabilities=np.zeros(FRAMES, dtype=np.float32),
        levels_db=levels,
        clipped=levels > -10,
        samples=FRAMES * FRAME_SAMPLES,
        silent=noise_db < -110,
    )


def piece(first: int, last: int) -> Piece:
    span = Span(first * FRAME_SAMPLES, last * FRAME_SAMPLES)
    return Piece(span, span)


def test_speech_and_noise_are_told_apart_by_the_pieces() -> None:
    signal = signal_of(channel(voice=(20, 60, -20.0)), [piece(20, 60)])

    assert signal.level_db == pytest.approx(-20)
    assert signal.noise_db == pytest.approx(-60)
    assert signal.snr_db == pytest.approx(40, abs=0.1)
    assert signal.loudest_db == pytest.approx(-20)
    assert signal.clipped_share == 0


def test_the_other_side_leaking_in_is_no_noise() -> None:
    signal = signal_of(channel(voice=(0, 20, -20.0), leak=(30, 90, -40.0)), [piece(0, 20)], [piece(30, 90)])

    assert signal.noise_db == pytest.approx(-60)


def test_digital_silence_between_speech_is_no_noise() -> None:
    signal = signal_of(channel(-120.0, voice=(20, 60, -20.0)), [piece(20, 60)])

    assert (signal.noise_db, signal.snr_db) == (None, None)


def test_of_a_channel_without_speech_the_loudest_tells() -> None:
    assert signal_of(channel(), []) == Signal(noise_db=-60.0, loudest_db=-60.0)
    assert signal_of(channel(-120.0), []) == Signal()


def test_speech_no_louder_than_the_noise_stands_far_below_it() -> None:
    assert signal_of(channel(), [piece(0, 20)]).snr_db == pytest.approx(-30)


def test_clipping_is_counted_in_speech_alone() -> None:
    signal = signal_of(channel(shout=(20, 30, -5.0), click=(80, 90, -5.0)), [piece(20, 60)])

    assert signal.clipped_share == pytest.approx(0.25)
