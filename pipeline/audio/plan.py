"""How to read a recording: which decoders to try, in which order, and what is known before any of them looked.

Called by `decode` and `outline`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from pipeline.audio import media_types, mpeg, ogg, wav_view
from pipeline.audio.headerless import Headerless
from pipeline.audio.pyav_reader import open_pyav
from pipeline.audio.reader import AudioReader
from pipeline.audio.sniff import SNIFF_BYTES, sniff
from pipeline.audio.soundfile_reader import open_soundfile
from pipeline.audio.stream_check import check_stream
from pipeline.audio.wav_header import WavHeader, parse_wav
from pipeline.errors import CallFault


@dataclass(frozen=True, slots=True)
class Plan:
    """How to read a file.

    Attributes:
        openers: Decoders in the order to try.
        declared_duration_s: What the header claims, once a decoder has opened the file; None for nothing.
        whole: Whether nothing is missing up to the file's end, as far as its container tells.
    """

    openers: tuple[Callable[[], AbstractContextManager[AudioReader]], ...]
    declared_duration_s: Callable[[AudioReader], float | None]
    whole: bool = True


def plan_of(file: BinaryIO, media_type: str) -> tuple[str, Plan]:
    """What the file is by its bytes, and how to read it.

    Args:
        file: At its start.
        media_type: As accepted. Believed only where it describes a file without a header; else the bytes tell.

    Raises:
        CallFault: no_audio, invalid_header, unsupported_codec, too_many_channels.
    """
    headerless = Headerless.parse(media_type)
    if headerless is not None:
        return media_type, _wav_plan(file, headerless.wav_header(file.seek(0, os.SEEK_END)))
    sniffed = _sniffed(file)
    return sniffed, _plan(file, sniffed)


def _sniffed(file: BinaryIO) -> str:
    head = file.read(SNIFF_BYTES)
    if not head:
        raise CallFault("no_audio")
    sniffed = sniff(head)
    if not sniffed.is_audio:
        raise CallFault("unsupported_codec", found=sniffed.media_type)
    return sniffed.media_type


def _plan(file: BinaryIO, media_type: str) -> Plan:
    if media_type == media_types.WAV:
        return _wav_plan(file, parse_wav(file))
    by_ffmpeg = partial(open_pyav, file, media_types.FFMPEG_FORMATS[media_type])
    if media_type in media_types.LENGTHLESS_TYPES:
        return Plan((by_ffmpeg,), lambda _: None)
    if media_type not in media_types.SOUNDFILE_TYPES:
        return Plan((by_ffmpeg,), _as_read)
    openers = (partial(open_soundfile, file.fileno()), by_ffmpeg)
    if media_type == media_types.MP3:
        declared_s = mpeg.declared_duration_s(file)
        return Plan(openers, lambda _: declared_s, whole=mpeg.is_whole(file))
    return Plan(openers, _as_read, whole=media_type != media_types.OGG or ogg.is_whole(file))


def _wav_plan(file: BinaryIO, header: WavHeader) -> Plan:
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
    return Plan(openers, lambda _: declared_s)


def _as_read(reader: AudioReader) -> float | None:
    return reader.declared_duration_s
