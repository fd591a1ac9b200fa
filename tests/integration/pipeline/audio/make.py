"""Recordings to try: tones, and files of every kind made from them."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from tempfile import NamedTemporaryFile

import av
import numpy as np
import numpy.typing as npt
import soundfile
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

Samples = npt.NDArray[np.float32]

LEFT_HZ, RIGHT_HZ = 440.0, 1000.0
LEVEL = 0.4


def tone(seconds: float, *, rate_hz: int = 8000, pitch_hz: float = LEFT_HZ, level: float = LEVEL) -> Samples:
    """Mono, shape (frames,)."""
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return (level * np.sin(2 * np.pi * pitch_hz * times_s)).astype(np.float32)


def stereo(seconds: float, *, rate_hz: int = 8000) -> Samples:
    """Shape (frames, 2): a low tone left, a high and softer one right."""
    left = tone(seconds, rate_hz=rate_hz)
    right = tone(seconds, rate_hz=rate_hz, pitch_hz=RIGHT_HZ, level=LEVEL / 2)
    return np.stack([left, right], axis=1)


def by_soundfile(samples: Samples, container: str, codec: str, *, rate_hz: int = 8000) -> bytes:
    """A file's bytes, encoded by libsndfile."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format=container, subtype=codec)
    return file.getvalue()


def by_ffmpeg(samples: Samples, container: str, codec: str, *, rate_hz: int = 8000, **options: str) -> bytes:
    """A file's bytes, encoded by FFmpeg from 16-bit samples."""
    channels = samples.shape[1] if samples.ndim > 1 else 1
    layout = "stereo" if channels == 2 else "mono"
    with NamedTemporaryFile() as file:  # FFmpeg's `faststart` reads again what it wrote, by name
        with av.open(file.name, "w", format=container, options=options) as out:
            stream = out.add_stream(codec, rate=rate_hz)
            assert isinstance(stream, AudioStream)
            stream.layout = layout
            packed = np.ascontiguousarray(np.round(samples * 32767).astype(np.int16).reshape(1, -1))
            frame = AudioFrame.from_ndarray(packed, format="s16", layout=layout)
            frame.sample_rate = rate_hz
            for packet in (*stream.encode(frame), *stream.encode(None)):
                out.mux(packet)
        return Path(file.name).read_bytes()


def wav(
    data: bytes,
    *,
    tag: int = 1,
    channels: int = 1,
    rate_hz: int = 8000,
    bits: int = 16,
    block_bytes: int | None = None,
    extra: bytes | None = None,
    claimed_bytes: int | None = None,
    after: bytes = b"",
) -> bytes:
    """A WAV file with whatever header is wanted."""
    block = channels * bits // 8 if block_bytes is None else block_bytes
    fmt = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * block & 0xFFFFFFFF, block, bits)
    if extra is not None:
        fmt += struct.pack("<H", len(extra)) + extra
    claimed = len(data) if claimed_bytes is None else claimed_bytes
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", claimed) + data + after
    return b"RIFF" + struct.pack("<I", len(body) & 0xFFFFFFFF) + body


def amr_wb(seconds: float) -> bytes:
    """Wideband AMR at its slowest mode, of noise; FFmpeg has no encoder for it."""
    frame = struct.pack("B", 0 << 3 | 1 << 2)
    noise = np.random.default_rng(7)
    return b"#!AMR-WB\n" + b"".join(frame + noise.bytes(17) for _ in range(round(seconds * 50)))


def g711(samples: Samples, codec: str) -> bytes:
    """Samples without a header; `alaw` or `ulaw`."""
    file = io.BytesIO()
    soundfile.write(file, samples, 8000, format="RAW", subtype=codec.upper())
    return file.getvalue()


def pcm(samples: Samples) -> bytes:
    """16-bit little-endian samples."""
    return np.round(samples * 32767).astype("<i2").tobytes()


def saved(folder: Path, data: bytes) -> Path:
    """The bytes as a file whose name tells nothing."""
    path = folder / "recording.raw"
    path.write_bytes(data)
    return path


def read(path: Path) -> Samples:
    """A decoded channel."""
    return np.fromfile(path, dtype="<f4").astype(np.float32)


def pitch_hz(samples: Samples, rate_hz: int = 16_000) -> float:
    """The strongest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate_hz / len(samples))


def level(samples: Samples) -> float:
    """A tone's amplitude, its ends apart."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    return float(np.sqrt(2 * np.mean(np.square(middle, dtype=np.float64))))


def video() -> bytes:
    """An MP4 of one black picture, without sound."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("mpeg4", rate=5)
        assert isinstance(stream, VideoStream)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        frame = VideoFrame(16, 16, "yuv420p")
        for packet in (*stream.encode(frame), *stream.encode(None)):
            out.mux(packet)
    return file.getvalue()
