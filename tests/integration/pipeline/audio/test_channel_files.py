from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.audio.channel_files import ChannelFiles
from tests.integration.pipeline.audio.make import Samples

FRAMES = 20_000


def written(folder: Path, samples: Samples, cuts: list[int], rate_hz: int) -> list[bytes]:
    with ChannelFiles(folder, "c", sample_rate_hz=rate_hz, channels=samples.shape[1]) as files:
        for start, end in pairwise([0, *cuts, len(samples)]):
            files.add(samples[start:end])
        files.finish()
    return [path.read_bytes() for path in files.paths]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rate_hz=st.sampled_from([8000, 11_025, 16_000, 44_100, 48_000]),
    cuts=st.lists(st.integers(0, FRAMES), max_size=12).map(sorted),
    seed=st.integers(0, 1 << 30),
)
def test_how_a_recording_is_cut_into_blocks_changes_no_sample(
    tmp_path: Path, rate_hz: int, cuts: list[int], seed: int
) -> None:
    samples = np.random.default_rng(seed).uniform(-1, 1, (FRAMES, 2)).astype(np.float32)
    assert written(tmp_path, samples, cuts, rate_hz) == written(tmp_path, samples, [], rate_hz)
