from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transcriber.domain.recording import Recording

HOUR_S = 3600.0
ALAW_STEREO_BYTES_S = 16_000


def likely_s(size_bytes: float, declared_s: float | None, media_type: str = "audio/wav") -> float:
    return Recording(
        call="j/1", sha256="s", media_type=media_type, size_bytes=round(size_bytes), declared_duration_s=declared_s
    ).likely_duration_s


def test_an_honest_header_is_believed() -> None:
    assert likely_s(HOUR_S * ALAW_STEREO_BYTES_S, HOUR_S) == HOUR_S
    assert likely_s(HOUR_S * 1000, HOUR_S, "audio/ogg") == HOUR_S


@pytest.mark.parametrize("declared_s", [None, 0xFFFFFFFF / ALAW_STEREO_BYTES_S])
def test_a_header_that_was_never_finished_makes_no_short_call_long(declared_s: float | None) -> None:
    assert likely_s(120 * ALAW_STEREO_BYTES_S, declared_s) == 120.0


def test_a_long_recording_cannot_pass_for_a_short_one_by_its_header() -> None:
    assert likely_s(3 * HOUR_S * 2 * ALAW_STEREO_BYTES_S, 1.0) == 1800.0


def test_without_a_length_compressed_sound_counts_as_dense() -> None:
    assert likely_s(2 * HOUR_S * 1000, None, "audio/amr") == HOUR_S


@given(st.integers(0, 1 << 40), st.none() | st.floats(0, 1e9), st.sampled_from(["audio/wav", "audio/ogg"]))
def test_it_lies_between_what_the_bytes_allow(size_bytes: int, declared_s: float | None, media_type: str) -> None:
    assert size_bytes / 192_000 <= likely_s(size_bytes, declared_s, media_type) <= size_bytes / 500
