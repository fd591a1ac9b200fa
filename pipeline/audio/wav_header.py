"""RIFF headers of WAV files: what they say, what is really there, what is impossible.

Called by `probe` (what they say) and `wav_view` (the rest). Recorders crash, forget to go back and write the length,
and write down whatever they like; libsndfile and FFmpeg believe too much of it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

PCM, MS_ADPCM, FLOAT, ALAW, MULAW, IMA_ADPCM, GSM610 = 0x0001, 0x0002, 0x0003, 0x0006, 0x0007, 0x0011, 0x0031
_EXTENSIBLE: Final = 0xFFFE
_GUID_TAIL: Final = bytes.fromhex("000000001000800000aa00389b71")
_FMT_BYTES: Final = 16
_FMT_MOST_BYTES: Final = 1024
_UNKNOWN_SIZE: Final = 0xFFFFFFFF
_MOST_CHUNKS: Final = 256
_CHUNK_HEADER_BYTES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class WavFormat:
    """The `fmt ` chunk as it is written.

    Attributes:
        tag: The codec, WAVE_FORMAT_EXTENSIBLE resolved.
        channels: As written.
        sample_rate_hz: As written.
        byte_rate: As written.
        block_align_bytes: As written.
        bits: Bits per sample, as written.
        extra: What the codec adds.
    """

    tag: int
    channels: int
    sample_rate_hz: int
    byte_rate: int
    block_align_bytes: int
    bits: int
    extra: bytes

    @property
    def samples_per_block(self) -> int:
        """Frames in one block of a block codec, as ADPCM and GSM write it; 0 when it is not written."""
        return int.from_bytes(self.extra[:2], "little")


@dataclass(frozen=True, slots=True, kw_only=True)
class WavHeader:
    """A WAV file up to its samples.

    Attributes:
        format: None when there is no whole `fmt ` chunk before the data.
        data_offset: Where the samples start; the file's size when there is no data chunk.
        declared_bytes: How many bytes of samples the header claims.
        present_bytes: How many there are: up to the file's end, or to the chunks that follow the samples.
    """

    format: WavFormat | None
    data_offset: int
    declared_bytes: int
    present_bytes: int


def parse_wav(file: BinaryIO) -> WavHeader:
    """Read the header of a file that starts with RIFF or RF64; never raises on what it says."""
    size_bytes = file.seek(0, os.SEEK_END)
    wav_format: WavFormat | None = None
    long_bytes: int | None = None
    for name, offset, chunk_bytes in _chunks(file, 12, size_bytes):
        if name == b"fmt ":
            wav_format = _parse_format(file.read(min(chunk_bytes, _FMT_MOST_BYTES)))
        elif name == b"ds64":
            long_bytes = int.from_bytes(file.read(16)[8:], "little")
        elif name == b"data":
            declared = long_bytes if chunk_bytes == _UNKNOWN_SIZE and long_bytes is not None else chunk_bytes
            present = _present_bytes(file, offset, declared, size_bytes, wav_format)
            return WavHeader(format=wav_format, data_offset=offset, declared_bytes=declared, present_bytes=present)
    return WavHeader(format=wav_format, data_offset=size_bytes, declared_bytes=0, present_bytes=0)


def _chunks(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, offset of the body and size of each chunk; the file stands at the body."""
    for _ in range(_MOST_CHUNKS):
        file.seek(start)
        header = file.read(_CHUNK_HEADER_BYTES)
        if start >= end or len(header) < _CHUNK_HEADER_BYTES:
            return
        size = int.from_bytes(header[4:], "little")
        yield header[:4], start + _CHUNK_HEADER_BYTES, size
        start += _CHUNK_HEADER_BYTES + size + size % 2


def _parse_format(body: bytes) -> WavFormat | None:
    if len(body) < _FMT_BYTES:
        return None
    tag, channels, rate_hz, byte_rate, block_align, bits = struct.unpack("<HHIIHH", body[:_FMT_BYTES])
    extra = body[_FMT_BYTES + 2 :][: int.from_bytes(body[_FMT_BYTES : _FMT_BYTES + 2], "little")]
    if tag == _EXTENSIBLE and extra[8:22] == _GUID_TAIL:
        tag, extra = int.from_bytes(extra[6:8], "little"), extra[22:]
    return WavFormat(
        tag=tag,
        channels=channels,
        sample_rate_hz=rate_hz,
        byte_rate=byte_rate,
        block_align_bytes=block_align,
        bits=bits,
        extra=extra,
    )


def _present_bytes(file: BinaryIO, offset: int, declared: int, size_bytes: int, wav_format: WavFormat | None) -> int:
    """Believe the declared size only if it fits what follows.

    It does when chunks follow, or less than a second of anything; else the header was never brought up to date and the
    samples go on to the file's end.
    """
    available = size_bytes - offset
    if declared >= available:
        return available
    ends = (offset + declared, offset + declared + declared % 2)
    second_bytes = wav_format.byte_rate if wav_format is not None else 0
    leftover = size_bytes - ends[-1]
    if any(_is_trailer(file, end, size_bytes) for end in ends) or (declared and leftover < second_bytes):
        return declared
    return available


def _is_trailer(file: BinaryIO, start: int, end: int) -> bool:
    """Whether chunk follows chunk exactly to the file's end (give or take its padding)."""
    reached = start
    for name, offset, size in _chunks(file, start, end):
        if not name.isascii() or not name.decode("ascii").isprintable():
            return False
        reached = offset + size
    return end - 1 <= reached <= end + 1
