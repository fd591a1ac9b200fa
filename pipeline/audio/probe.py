"""What a file's header says, unbelieved. Called by ingest in a limited child process (see `work`) for each upload."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Final

from pipeline.audio import media_types, mpeg, pyav_reader, wav_view
from pipeline.audio.contract import Probe
from pipeline.audio.reader import CannotOpen
from pipeline.audio.sniff import SNIFF_BYTES, sniff
from pipeline.audio.soundfile_reader import open_soundfile
from pipeline.audio.wav_header import parse_wav
from pipeline.errors import CallFault

_MOST_MS: Final = (1 << 63) - 1


def probe(path: Path) -> Probe:
    """Read a file's header; nothing is decoded.

    Args:
        path: Any file; its name does not matter.

    Returns:
        What the header says; fields are None where nothing is readable, also for what is no audio at all.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        sniffed = sniff(file.read(SNIFF_BYTES))
        if not sniffed.is_audio:
            return _probe(sniffed.media_type)
        try:
            return _read_header(file, sniffed.media_type)
        except (CannotOpen, CallFault):
            return _probe(sniffed.media_type)


def _read_header(file: BinaryIO, media_type: str) -> Probe:
    if media_type == media_types.WAV:
        return _probe_wav(file)
    if media_type not in media_types.SOUNDFILE_TYPES:
        return _probe_container(file, media_type)
    declared_s = mpeg.declared_duration_s(file) if media_type == media_types.MP3 else None
    with open_soundfile(file.fileno()) as reader:
        return _probe(media_type, declared_s or reader.declared_duration_s, reader.sample_rate_hz, reader.channels)


def _probe_wav(file: BinaryIO) -> Probe:
    header = parse_wav(file)
    wav = header.format
    if wav is None:
        return _probe(media_types.WAV)
    declared_s: float | None = None
    if wav.sample_rate_hz and wav.channels:
        try:
            declared_s = wav_view.declared_duration_s(header, wav, wav_view.check_codec(wav))
        except CallFault:
            declared_s = header.declared_bytes / wav.byte_rate if wav.byte_rate else None
    return _probe(media_types.WAV, declared_s, wav.sample_rate_hz, wav.channels)


def _probe_container(file: BinaryIO, media_type: str) -> Probe:
    with pyav_reader.open_container(file, media_types.FFMPEG_FORMATS[media_type]) as container:
        stream = pyav_reader.audio_stream(container)
        if stream is None:
            return _probe(media_type)
        context = stream.codec_context
        guessed = media_type in media_types.LENGTHLESS_TYPES
        declared_s = None if guessed else pyav_reader.declared_duration_s(container, stream)
        return _probe(media_type, declared_s, context.sample_rate, context.channels)


def _probe(media_type: str, declared_s: float | None = None, rate_hz: int = 0, channels: int = 0) -> Probe:
    return Probe(
        media_type=media_type,
        declared_duration_ms=None if declared_s is None else min(_MOST_MS, round(declared_s * 1000)),
        sample_rate_hz=rate_hz or None,
        channels=channels or None,
    )
