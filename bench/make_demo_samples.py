"""Make the demo's samples out of the reference calls: one format each, truths beside them.

    python bench/make_demo_samples.py REFERENCE_AUDIO_FOLDER

The folder holds `calls/NAME.{wav,json}`, `real/` and `nonspeech/silence.wav`.
"""

from __future__ import annotations

import json
import shutil
import struct
import sys
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

SAMPLES: Final = Path(__file__).parents[1] / "razgovor" / "demo" / "samples"

#: Call, file to make, container and coding as libsndfile names them.
CALLS: Final = (
    ("bank", "bank.wav", "WAV", "ALAW"),
    ("clinic", "clinic.wav", "WAV", "ULAW"),
    ("complaint", "complaint.wav", "WAV", "PCM_16"),
    ("delivery", "delivery.flac", "FLAC", "PCM_16"),
    ("internet", "internet.ogg", "OGG", "OPUS"),
    ("sales", "sales.mp3", "MP3", "MPEG_LAYER_III"),
)


def call(source: Path, name: str, target: str, container: str, coding: str) -> dict[str, Any]:
    """Write one call in its format; its truth."""
    samples, rate_hz = soundfile.read(source / f"{name}.wav", dtype="int16", always_2d=True)
    if container == "MP3":
        # libsndfile's encoder loses half the power of 8 kHz stereo, and speech with it; LAME by FFmpeg keeps it.
        write_mp3(SAMPLES / target, samples, rate_hz)
    else:
        soundfile.write(SAMPLES / target, samples, rate_hz, format=container, subtype=coding)
    truth = json.loads((source / f"{name}.json").read_text(encoding="utf-8"))
    turns = [{key: turn[key] for key in ("channel", "role", "start", "end", "text")} for turn in truth["turns"]]
    return {"file": target, "kind": "call", "state": "completed", "turns": turns}


def write_mp3(target: Path, samples: NDArray[np.int16], rate_hz: int) -> None:
    """Samples of shape (frames, 2) as MP3 at 32 kbit/s."""
    with av.open(str(target), "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=rate_hz, layout="stereo")
        stream.bit_rate = 32_000
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1).copy(), format="s16", layout="stereo")
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=rate_hz)
        for ready in (*resampler.resample(frame), None):
            container.mux(stream.encode(ready))


def broken_wav() -> bytes:
    """A WAV whose header claims a sample rate of 0 Hz."""
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, 0, 0, 4, 16)
    data = struct.pack("<4sI", b"data", 16_000) + bytes(16_000)
    return struct.pack("<4sI4s", b"RIFF", 4 + len(fmt) + len(data), b"WAVE") + fmt + data


def main(reference: Path) -> None:
    """Write samples and samples.json."""
    (SAMPLES / "people").mkdir(parents=True, exist_ok=True)
    rows = [call(reference / "calls", *one) for one in CALLS]
    texts = {
        row["filename"]: row["reference"]
        for row in json.loads((reference / "real" / "golos.json").read_text(encoding="utf-8"))
    }
    for name in ("tone_long.flac", *(f"golos_{number:02}.wav" for number in range(5))):
        shutil.copyfile(reference / "real" / name, SAMPLES / "people" / name)
        truth = [{"channel": 0, "role": None, "text": texts[name]}] if name in texts else []
        rows.append({"file": f"people/{name}", "kind": "people", "state": "completed", "turns": truth})
    shutil.copyfile(reference / "nonspeech" / "silence.wav", SAMPLES / "silence.wav")
    rows.append({"file": "silence.wav", "kind": "nonspeech", "state": "completed", "turns": []})
    (SAMPLES / "broken.wav").write_bytes(broken_wav())
    rows.append({"file": "broken.wav", "kind": "broken", "state": "failed", "reason": "invalid_header", "turns": []})
    (SAMPLES / "samples.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
