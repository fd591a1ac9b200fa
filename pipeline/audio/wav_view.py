"""A WAV file as its header should have been: checked, and with the sizes that are really there.

`decode` hands this to libsndfile or FFmpeg in the file's place. The samples are not copied.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

from pipeline.audio.wav_header import ALAW, FLOAT, GSM610, IMA_ADPCM, MS_ADPCM, MULAW, PCM, WavFormat, WavHeader
from pipeline.errors import CallFault

_MOST_BYTES: Final = 0xFFFF_0000  # what a RIFF size can say, less the header
_GSM_BLOCK_BYTES: Final = 65
_GSM_BLOCK_SAMPLES: Final = 320
_MS_ADPCM_EXTRA_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Codec:
    """How a codec lays out its samples.

    Attributes:
        block_bytes: Bytes of the smallest piece that can be decoded.
        block_frames: Frames (a sample of every channel) in it; 0 where only the decoder knows.
        by_soundfile: Whether libsndfile decodes it; FFmpeg otherwise.
    """

    block_bytes: int
    block_frames: int
    by_soundfile: bool = True


def check_codec(wav: WavFormat) -> Codec:
    """The layout of the samples, computed rather than believed.

    Raises:
        CallFault: invalid_header, unsupported_codec.
    """
    layout = _LAYOUTS.get(wav.tag)
    if layout is not None:
        return layout(wav)
    if wav.block_align_bytes == 0:
        raise CallFault("invalid_header", found=f"blocks of 0 bytes in WAV format 0x{wav.tag:04x}")
    return Codec(wav.block_align_bytes, 0, by_soundfile=False)


def corrected(file: BinaryIO, header: WavHeader, wav: WavFormat, codec: Codec) -> BinaryIO:
    """The file with a header of ours before the samples that are present, whole blocks of them."""
    data_bytes = min(header.present_bytes, _MOST_BYTES)
    if codec.by_soundfile:
        data_bytes -= data_bytes % codec.block_bytes
    fmt = _fmt_chunk(wav, codec)
    body = b"WAVE" + _chunk(b"fmt ", fmt) + b"data" + struct.pack("<I", data_bytes)
    head = b"RIFF" + struct.pack("<I", len(body) + data_bytes) + body
    return io.BufferedReader(_Spliced(head, file, header.data_offset, data_bytes), buffer_size=1 << 16)


def declared_duration_s(header: WavHeader, wav: WavFormat, codec: Codec) -> float | None:
    """What the data chunk's size claims; None for 0, which recorders write who never came back to fill it in."""
    if header.declared_bytes == 0:
        return None
    if codec.block_frames == 0:
        return header.declared_bytes / wav.byte_rate if wav.byte_rate else None
    return header.declared_bytes // codec.block_bytes * codec.block_frames / wav.sample_rate_hz


def _pcm(wav: WavFormat) -> Codec:
    if wav.bits not in (8, 16, 24, 32):
        raise CallFault("invalid_header", found=f"{wav.bits} bits a sample")
    return Codec(wav.channels * wav.bits // 8, 1)


def _float(wav: WavFormat) -> Codec:
    if wav.bits not in (32, 64):
        raise CallFault("invalid_header", found=f"{wav.bits} bits a float sample")
    return Codec(wav.channels * wav.bits // 8, 1)


def _companded(wav: WavFormat) -> Codec:
    return Codec(wav.channels, 1)


def _gsm(wav: WavFormat) -> Codec:
    if wav.channels != 1:
        raise CallFault("unsupported_codec", found=f"GSM 6.10 of {wav.channels} channels")
    return Codec(_GSM_BLOCK_BYTES, _GSM_BLOCK_SAMPLES)


def _ima_adpcm(wav: WavFormat) -> Codec:
    head_bytes = 4 * wav.channels
    return _adpcm(wav, (wav.block_align_bytes - head_bytes) * 2 // wav.channels + 1, head_bytes, "IMA ADPCM")


def _ms_adpcm(wav: WavFormat) -> Codec:
    if len(wav.extra) < _MS_ADPCM_EXTRA_BYTES:
        raise CallFault("invalid_header", found="MS ADPCM without its coefficients")
    head_bytes = 7 * wav.channels
    return _adpcm(wav, (wav.block_align_bytes - head_bytes) * 2 // wav.channels + 2, head_bytes, "MS ADPCM")


def _adpcm(wav: WavFormat, block_frames: int, head_bytes: int, name: str) -> Codec:
    """Refuse what does not add up: decoders size their buffers by either figure."""
    if wav.block_align_bytes <= head_bytes or wav.samples_per_block not in (0, block_frames):
        raise CallFault(
            "invalid_header", found=f"{name}, {wav.samples_per_block} samples in {wav.block_align_bytes} bytes"
        )
    return Codec(wav.block_align_bytes, block_frames)


_LAYOUTS: Final[dict[int, Callable[[WavFormat], Codec]]] = {
    PCM: _pcm,
    FLOAT: _float,
    ALAW: _companded,
    MULAW: _companded,
    GSM610: _gsm,
    IMA_ADPCM: _ima_adpcm,
    MS_ADPCM: _ms_adpcm,
}


def _fmt_chunk(wav: WavFormat, codec: Codec) -> bytes:
    rate_hz = wav.sample_rate_hz
    byte_rate = rate_hz * codec.block_bytes // codec.block_frames if codec.by_soundfile else wav.byte_rate
    bits = {ALAW: 8, MULAW: 8, GSM610: 0, IMA_ADPCM: 4, MS_ADPCM: 4}.get(wav.tag, wav.bits)
    fmt = struct.pack("<HHIIHH", wav.tag, wav.channels, rate_hz, min(byte_rate, 0xFFFFFFFF), codec.block_bytes, bits)
    if wav.tag == PCM:
        return fmt
    extra = wav.extra
    if wav.tag in (GSM610, IMA_ADPCM):
        extra = struct.pack("<H", codec.block_frames)
    return fmt + struct.pack("<H", len(extra)) + extra


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


class _Spliced(io.RawIOBase):
    """Our header, then a slice of the file. The file stays its owner's."""

    def __init__(self, head: bytes, file: BinaryIO, offset: int, size_bytes: int) -> None:
        super().__init__()
        self._head = head
        self._file = file
        self._offset = offset
        self._end = len(head) + size_bytes
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._end}[whence]
        if start + offset < 0:
            raise OSError("seek before the start")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # typeshed's WriteableBuffer is no runtime name
        wanted = min(len(buffer), max(0, self._end - self._position))
        if self._position < len(self._head):
            piece = self._head[self._position :][:wanted]
        else:
            self._file.seek(self._offset + self._position - len(self._head))
            piece = self._file.read(wanted)
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)
