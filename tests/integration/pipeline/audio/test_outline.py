"""How loud recordings are over time, by real decoders."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.audio import OutlineRequest
from pipeline.audio.outline import outline
from pipeline.errors import CallFault
from razgovor.demo import samples
from tests.browser.world import spoken, tones

CALLS = [sample.file for sample in samples.load() if sample.kind == "call"]


def written(folder: Path, data: bytes) -> Path:
    path = folder / "recording"
    path.write_bytes(data)
    return path


def test_each_channel_is_loud_where_somebody_speaks_on_it(tmp_path: Path) -> None:
    found = outline(OutlineRequest(written(tmp_path, spoken()), "audio/wav", 2000))
    assert found.duration_s == pytest.approx(12.0)
    step_s = found.duration_s / len(found.peaks[0])
    for channel, start_s, end_s, loud in (
        (0, 0.6, 2.4, True),
        (1, 0.6, 2.4, False),
        (0, 3.1, 5.4, False),
        (1, 3.1, 5.4, True),
    ):
        part = found.peaks[channel][int(start_s / step_s) : int(end_s / step_s)]
        assert (min(part) > 2000) if loud else (max(part) == 0)


def test_there_are_never_more_points_than_asked_for_and_the_loudest_stays(tmp_path: Path) -> None:
    path = written(tmp_path, tones(60.0, [(0, 30.0, 30.05)]))
    for points in (1, 7, 500, 2000):
        found = outline(OutlineRequest(path, "audio/wav", points))
        assert 0 < len(found.peaks[0]) <= points
        assert max(found.peaks[0]) > 2000
        assert len(found.peaks[0]) == len(found.peaks[1])


@pytest.mark.parametrize("name", CALLS)
def test_every_format_of_the_samples_is_drawn(name: str) -> None:
    found = outline(OutlineRequest(samples.folder() / name, "", 2000))
    assert len(found.peaks) == 2
    assert found.duration_s > 40
    assert all(max(peaks) > 100 for peaks in found.peaks)


@pytest.mark.parametrize(
    ("data", "reason"), [(b"", "no_audio"), (b"text" * 100, "unsupported_codec"), (spoken()[:44], "no_audio")]
)
def test_what_is_no_recording_says_so(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(CallFault) as fault:
        outline(OutlineRequest(written(tmp_path, data), "", 100))
    assert fault.value.reason == reason


def test_what_is_too_long_or_has_too_many_channels_is_not_drawn(tmp_path: Path) -> None:
    path = written(tmp_path, spoken())
    with pytest.raises(CallFault) as fault:
        outline(OutlineRequest(path, "", 100, max_duration_s=5.0))
    assert fault.value.reason == "too_long"
    with pytest.raises(CallFault) as fault:
        outline(OutlineRequest(path, "", 100, max_channels=1))
    assert fault.value.reason == "too_many_channels"
