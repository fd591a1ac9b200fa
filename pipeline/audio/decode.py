"""Decode a recording into one file of 16 kHz samples per channel, in a stream: memory does not grow with its length.

Called in a limited child process (see `work`) by the transcriber's front end. Next come VAD and windows, which read the files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from pipeline.audio import media_types, mpeg, ogg, wav_view
from pipeline.audio.channel_files import ChannelFiles
from pipeline.audio.contract import DecodedAudio, DecodeLimits
from pipeline.audio.headerless import Headerless
from pipeline.audio.likeness import Likeness
from pipeline.audio.pyav_reader import open_pyav
from pipeline.audio.reader import AudioReader, Block, CannotOpen
from pipeline.audio.sniff import SNIFF_BYTES, sniff
from pipeline.audio.soundfile_reader import open_soundfile
from pipeline.audio.stream_check import check_stream
from pipeline.audio.wav_header import WavHeader, parse_wav
from pipeline.errors import CallFault

_TOLERANCE_S: Final = 0.5
_TOLERANCE_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True)
class _Plan:
    """How to read a file: decoders in the order to try, and what is known before any of them looked."""

    openers: tuple[Callable[[], AbstractContextManager[AudioReader]], ...]
    declared_duration_s: Callable[[AudioReader], float | None]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What one decoder made of the file."""

    files: ChannelFiles
    frames: int
    sample_rate_hz: int
    declared_duration_s: float | None
    damaged: bool
    identical_channels: bool


def decode(source: Path, out_dir: Path, limits: DecodeLimits, *, media_type: str = "") -> DecodedAudio:
    """Decode what is there, whatever the header says.

    Args:
        source: Any file; its name does not matter.
        out_dir: An existing folder for the channels' files; nothing stays there after a fault.
        limits: What is taken.
        media_type: As accepted. Believed only where it describes a file without a header; else the bytes tell.

    Raises:
        CallFault: no_audio, invalid_header, unsupported_codec, too_long, too_many_channels.
        Transient: `out_dir` takes no more.
        OSError: `source` cannot be read.
    """
    with source.open("rb") as file:
        headerless = Headerless.parse(media_type)
        if headerless is None:
            media_type = _sniffed(file)
            plan = _plan(file, media_type)
        else:
            plan = _wav_plan(file, headerless.wav_header(file.seek(0, os.SEEK_END)))
        attempt = _best_attempt(plan, out_dir, limits)
    if attempt is None:
        raise CallFault("invalid_header", found=f"unreadable {media_type}")
    duration_s = attempt.frames / attempt.sample_rate_hz
    if duration_s < limits.min_duration_s:
        _discard(attempt)
        raise CallFault("no_audio")
    return DecodedAudio(
        channels=attempt.files.paths,
        samples=attempt.files.samples,
        duration_s=duration_s,
        sample_rate_hz=attempt.sample_rate_hz,
        declared_duration_s=attempt.declared_duration_s,
        truncated=attempt.damaged or not plan.whole or _falls_short(duration_s, attempt.declared_duration_s),
        identical_channels=attempt.identical_channels,
        media_type=media_type,
    )


def _sniffed(file: BinaryIO) -> str:
    head = file.read(SNIFF_BYTES)
    if not head:
        raise CallFault("no_audio")
    sniffed = sniff(head)
    if not sniffed.is_audio:
        raise CallFault("unsupported_codec", found=sniffed.media_type)
    return sniffed.media_type


def _plan(file: BinaryIO, media_type: str) -> _Plan:
    if media_type == media_types.WAV:
        return _wav_plan(file, parse_wav(file))
    by_ffmpeg = partial(open_pyav, file, media_types.FFMPEG_FORMATS[media_type])
    if media_type in media_types.LENGTHLESS_TYPES:
        return _Plan((by_ffmpeg,), lambda _: None)
    if media_type not in media_types.SOUNDFILE_TYPES:
        return _Plan((by_ffmpeg,), _as_read)
    openers = (partial(open_soundfile, file.fileno()), by_ffmpeg)
    if media_type == media_types.MP3:
        declared_s = mpeg.declared_duration_s(file)
        return _Plan(openers, lambda _: declared_s)
    return _Plan(openers, _as_read, whole=media_type != media_types.OGG or ogg.is_whole(file))


def _wav_plan(file: BinaryIO, header: WavHeader) -> _Plan:
    wav = header.format
    if wav is None:
        raise CallFault("invalid_header", found="no whole fmt chunk")
    check_stream(wav.sample_rate_hz, wav.channels)
    codec = wav_view.check_codec(wav)
    if header.present_bytes < codec.block_bytes:
        raise CallFault("no_audio")
    declared_s = wav_view.declared_duration_s(header, wav, codec)
    view = wav_view.corrected(file, header, wav, codec)
    by_ffmpeg = partial(open_pyav, view, "wav")
    openers = (partial(open_soundfile, view), by_ffmpeg) if codec.by_soundfile else (by_ffmpeg,)
    return _Plan(openers, lambda _: declared_s)


def _as_read(reader: AudioReader) -> float | None:
    return reader.declared_duration_s


def _best_attempt(plan: _Plan, out_dir: Path, limits: DecodeLimits) -> _Attempt | None:
    """The first decoder that gets through; if none does, the one that got furthest."""
    best: _Attempt | None = None
    for number, opener in enumerate(plan.openers):
        try:
            attempt = _attempt(opener, plan, out_dir, f"channel-{number}", limits)
        except CannotOpen:
            continue
        except CallFault as fault:
            if best is None or fault.reason == "too_long":
                _discard(best)
                raise
            continue
        if best is not None:
            shorter, longer = sorted((best, attempt), key=lambda each: each.frames / each.sample_rate_hz)
            _discard(shorter)
            return replace(longer, damaged=True)
        best = attempt
        if plan.whole and not attempt.damaged:
            break
    return best


def _discard(attempt: _Attempt | None) -> None:
    if attempt is not None:
        attempt.files.discard()


def _attempt(
    opener: Callable[[], AbstractContextManager[AudioReader]],
    plan: _Plan,
    out_dir: Path,
    prefix: str,
    limits: DecodeLimits,
) -> _Attempt:
    with opener() as reader:
        rate_hz, channels = reader.sample_rate_hz, reader.channels
        check_stream(rate_hz, channels, limits.max_channels)
        declared_s = plan.declared_duration_s(reader)
        likeness, frames = Likeness(channels), 0
        with ChannelFiles(out_dir, prefix, sample_rate_hz=rate_hz, channels=channels) as files:
            for block in _sound_blocks(reader):
                frames += len(block)
                if frames > limits.max_duration_s * rate_hz:
                    found_s = max(frames / rate_hz, declared_s or 0.0)
                    raise CallFault("too_long", limit_s=f"{limits.max_duration_s:g}", found_s=f"{found_s:.1f}")
                likeness.add(block)
                files.add(block)
            files.finish()
        return _Attempt(files, frames, rate_hz, declared_s, reader.damaged, likeness.identical)


def _sound_blocks(reader: AudioReader) -> Iterator[Block]:
    """Blocks that are sound: float files may hold anything, and one NaN would silence the resampler for good."""
    for block in reader.blocks():
        yield np.clip(np.where(np.isfinite(block), block, np.float32(0.0)), -1.0, 1.0)


def _falls_short(duration_s: float, declared_s: float | None) -> bool:
    return declared_s is not None and duration_s < declared_s - max(_TOLERANCE_S, declared_s * _TOLERANCE_SHARE)
