from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

import pipeline.audio
from pipeline.audio import DecodedAudio, DecodeLimits, DecodeRequest, Probe, decoder, prober
from pipeline.errors import CallFault
from pipeline.isolation import ChildProcess, Limits
from tests.integration.pipeline.audio import make

PATIENCE_S = 60.0
MIB = 1 << 20
LIMITS = Limits(memory_bytes=256 * MIB, cpu_s=60, open_files=64)

DecoderChild = ChildProcess[DecodeRequest, DecodedAudio]


@pytest.fixture(scope="module")
def child() -> Iterator[DecoderChild]:
    factory = partial(decoder, DecodeLimits())
    with ChildProcess(factory, name="decoder", limits=LIMITS, start_timeout_s=PATIENCE_S) as running:
        yield running


def peak_bytes(child: DecoderChild) -> int:
    status = Path(f"/proc/{child.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024


def long_file(folder: Path, seconds: int, container: str, codec: str) -> Path:
    path = folder / "long"
    with soundfile.SoundFile(path, "w", 8000, 2, codec, format=container) as file:
        second = np.zeros((8000, 2), np.float32) if codec == "OPUS" else make.stereo(1.0)
        for _ in range(seconds):
            file.write(second)
    return path


def test_a_child_decodes_and_probes(tmp_path: Path, child: DecoderChild) -> None:
    source = make.saved(tmp_path, make.by_soundfile(make.stereo(3.0), "WAV", "ALAW"))
    audio = child.call(DecodeRequest(source, tmp_path), timeout_s=PATIENCE_S)
    assert make.pitch_hz(make.read(audio.channels[1])) == pytest.approx(make.RIGHT_HZ, abs=1)
    with ChildProcess(prober, name="prober", limits=LIMITS, start_timeout_s=PATIENCE_S) as probing:
        assert probing.call(source, timeout_s=PATIENCE_S) == Probe(
            media_type="audio/wav", declared_duration_ms=3000, sample_rate_hz=8000, channels=2
        )


def test_faults_of_the_call_come_out_of_the_child(tmp_path: Path, child: DecoderChild) -> None:
    with pytest.raises(CallFault) as fault:
        child.call(DecodeRequest(make.saved(tmp_path, b"#EXTM3U\n"), tmp_path), timeout_s=PATIENCE_S)
    assert (fault.value.reason, fault.value.details["found"]) == ("unsupported_codec", "application/vnd.apple.mpegurl")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("container", "codec"), [("WAV", "ALAW"), ("OGG", "VORBIS")])
def test_memory_does_not_grow_with_the_length(tmp_path: Path, child: DecoderChild, container: str, codec: str) -> None:
    child.call(DecodeRequest(long_file(tmp_path, 10, container, codec), tmp_path), timeout_s=PATIENCE_S)
    short_peak = peak_bytes(child)
    audio = child.call(DecodeRequest(long_file(tmp_path, 290, container, codec), tmp_path), timeout_s=PATIENCE_S)
    assert audio.duration_s == 290
    assert peak_bytes(child) - short_peak < 12 * MIB  # as samples at 16 kHz they are 37 MB


def test_compressed_silence_stops_at_the_limit(tmp_path: Path) -> None:
    source = long_file(tmp_path, 90, "OGG", "OPUS")
    assert source.stat().st_size < MIB // 8
    factory = partial(decoder, DecodeLimits(max_duration_s=60))
    with ChildProcess(factory, name="decoder", limits=LIMITS, start_timeout_s=PATIENCE_S) as child:
        with pytest.raises(CallFault) as fault:
            child.call(DecodeRequest(source, tmp_path), timeout_s=PATIENCE_S)
        assert child.pid is not None
    assert fault.value.reason == "too_long"
    assert fault.value.details == {"limit_s": "60", "found_s": "90.0"}
    assert list(tmp_path.iterdir()) == [source]


def test_a_parent_holds_no_decoder() -> None:
    look = "import sys, pipeline.audio; print(sorted({'av', 'soundfile', 'soxr', 'numpy'} & set(sys.modules)))"
    root = Path(pipeline.audio.__file__).parents[2]
    found = subprocess.run([sys.executable, "-c", look], cwd=root, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
