from __future__ import annotations

import io
import wave

import pytest

from razgovor.chaos.poison import Poison, poison_in
from razgovor.chaos.recordings import DURATION_S, SAMPLE_RATE_HZ, recording


def test_a_recording_is_a_wav_file_of_its_length() -> None:
    with wave.open(io.BytesIO(recording(1, 1)), "rb") as found:
        assert (found.getframerate(), found.getnframes()) == (SAMPLE_RATE_HZ, round(DURATION_S * SAMPLE_RATE_HZ))


def test_no_two_recordings_are_alike_and_each_can_be_made_again() -> None:
    assert len({recording(seed, number) for seed in range(3) for number in range(3)}) == 9
    assert recording(1, 2) == recording(1, 2)


@pytest.mark.parametrize("poison", list(Poison))
def test_a_marked_recording_is_still_a_wav_file_and_says_its_poison(poison: Poison) -> None:
    marked = recording(1, 1, poison=poison)
    with wave.open(io.BytesIO(marked), "rb") as found:
        assert found.getnframes() == round(DURATION_S * SAMPLE_RATE_HZ)
    assert poison_in(marked) is poison


def test_a_sound_recording_holds_no_poison() -> None:
    assert poison_in(recording(1, 1)) is None
