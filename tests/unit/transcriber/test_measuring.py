from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.transcriber.adapters import pcm
from services.transcriber.adapters.measuring import measure, stretches
from services.transcriber.domain.timeline import FRAME_SAMPLES, Piece, Span
from services.transcriber.domain.windows import Window


def everything_is_speech(_channel: Path, frames: Span) -> NDArray[np.float32]:
    return np.ones(frames.samples, dtype=np.float32)


def written(folder: Path, samples: NDArray[np.float32]) -> Path:
    path = folder / "0.f32"
    samples.astype(np.float32).tofile(path)
    return path


def tone(samples: int, amplitude: float) -> NDArray[np.float32]:
    return np.asarray(amplitude * np.sin(np.arange(samples) * 0.3), dtype=np.float32)


def test_levels_are_rms_in_decibels(tmp_path: Path) -> None:
    channel = written(tmp_path, tone(FRAME_SAMPLES * 4, 0.1))

    measured = measure(channel, FRAME_SAMPLES * 4, everything_is_speech)

    assert np.allclose(measured.levels_db, -23.0, atol=0.2)
    assert measured.probabilities.tolist() == [1.0] * 4
    assert not measured.silent


def test_digital_silence_is_never_heard_as_speech(tmp_path: Path) -> None:
    idle_code = np.full(FRAME_SAMPLES * 100, 8 / 32768, dtype=np.float32)
    channel = written(tmp_path, idle_code)

    measured = measure(channel, idle_code.size, everything_is_speech)

    assert measured.silent
    assert not measured.probabilities.any()


def test_only_what_lies_around_sound_is_looked_at(tmp_path: Path) -> None:
    samples = np.zeros(FRAME_SAMPLES * 200, dtype=np.float32)
    samples[FRAME_SAMPLES * 100 : FRAME_SAMPLES * 110] = tone(FRAME_SAMPLES * 10, 0.1)
    channel = written(tmp_path, samples)

    measured = measure(channel, samples.size, everything_is_speech)

    assert np.flatnonzero(measured.probabilities).tolist() == list(range(84, 126))


def test_a_channel_longer_than_a_block_and_not_of_whole_frames(tmp_path: Path) -> None:
    samples = tone(FRAME_SAMPLES * (pcm.BLOCK_FRAMES + 2) + 5, 0.1)
    channel = written(tmp_path, samples)

    measured = measure(channel, samples.size, everything_is_speech)

    assert len(measured.levels_db) == len(measured.probabilities) == pcm.BLOCK_FRAMES + 3


def test_frames_at_the_end_of_the_scale_are_clipped(tmp_path: Path) -> None:
    samples = np.concatenate([tone(FRAME_SAMPLES, 0.9), np.clip(tone(FRAME_SAMPLES, 4.0), -1, 1)])

    assert measure(written(tmp_path, samples), samples.size, everything_is_speech).clipped.tolist() == [False, True]


def test_an_empty_channel_has_no_frames(tmp_path: Path) -> None:
    measured = measure(written(tmp_path, np.zeros(0, dtype=np.float32)), 0, everything_is_speech)

    assert (len(measured.levels_db), measured.silent) == (0, True)


@given(st.lists(st.booleans(), max_size=300))
def test_stretches_ascend_and_hold_all_sound(sound: list[bool]) -> None:
    found = list(stretches(np.array(sound, dtype=np.bool_)))

    assert all(left.end <= right.start for left, right in pairwise(found))
    assert all(0 <= span.start < span.end <= len(sound) for span in found)
    covered = {frame for span in found for frame in range(span.start, span.end)}
    assert {frame for frame, loud in enumerate(sound) if loud} <= covered


def test_a_window_is_read_as_its_pieces_one_after_the_other(tmp_path: Path) -> None:
    channel = written(tmp_path, np.arange(100, dtype=np.float32))
    pieces = tuple(Piece(span, span) for span in (Span(10, 12), Span(50, 53)))
    window = Window(call="c", channel=0, index=0, pieces=pieces, pcm=channel)

    assert pcm.read_window(window).tolist() == [10, 11, 50, 51, 52]
