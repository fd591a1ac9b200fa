"""MPEG audio frame headers: is this MP3, how long does it say it is, is it whole? Called by `sniff`, `probe` and `plan`."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

HEADER_BYTES: Final = 4
_SYNC: Final = 0xFFE0
_ID3_HEADER_BYTES: Final = 10
_ID3V1_BYTES: Final = 128
_SEARCH_BYTES: Final = 16_384
_GAP_BYTES: Final = 65_536
_SURE: Final = 3
"""So many frames in a row are no accident."""

_RATES_HZ: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_LAYER_3, _LAYER_2 = 1, 2
# Row by (MPEG-1?, layer); column by the header's index; index 0 is "free", which nobody writes and we do not take.
_KBIT_S: Final = {
    (True, _LAYER_3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (True, _LAYER_2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (False, _LAYER_3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, _LAYER_2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MPEG_1: Final = 3
_VBRI_OFFSET: Final = 36


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame's header."""

    sample_rate_hz: int
    samples: int
    size_bytes: int
    xing_offset: int


def parse_frame(header: bytes) -> Frame | None:
    """The frame that starts with these four bytes; None when none does."""
    if len(header) < HEADER_BYTES or int.from_bytes(header[:2], "big") & _SYNC != _SYNC:
        return None
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    kbit_s_row = _KBIT_S.get((version == _MPEG_1, layer))
    bitrate_index, rate_index = header[2] >> 4, header[2] >> 2 & 3
    if kbit_s_row is None or version not in _RATES_HZ or rate_index == 3 or not 0 < bitrate_index < len(kbit_s_row):  # noqa: PLR2004 - 3 is reserved
        return None
    rate_hz = _RATES_HZ[version][rate_index]
    samples = 576 if layer == _LAYER_3 and version != _MPEG_1 else 1152
    size_bytes = samples * kbit_s_row[bitrate_index] * 125 // rate_hz + (header[2] >> 1 & 1)
    mono = header[3] >> 6 == 3  # noqa: PLR2004 - 3 is mono
    side_info_bytes = (17 if mono else 32) if version == _MPEG_1 else (9 if mono else 17)
    return Frame(rate_hz, samples, size_bytes, HEADER_BYTES + side_info_bytes)


def frame_bytes(header: bytes) -> int | None:
    """The size of the frame that starts with these four bytes; None when none does."""
    frame = parse_frame(header)
    return None if frame is None else frame.size_bytes


def declared_duration_s(file: BinaryIO) -> float | None:
    """The length that the encoder wrote into the first frame (Xing, Info or VBRI); None when it wrote none."""
    file.seek(_id3_bytes(file))
    head = file.read(_SEARCH_BYTES)
    start = head.find(b"\xff")
    while start >= 0:
        frame = parse_frame(head[start : start + HEADER_BYTES])
        if frame is not None:
            frames = _declared_frames(head[start : start + frame.size_bytes], frame)
            return None if frames is None else frames * frame.samples / frame.sample_rate_hz
        start = head.find(b"\xff", start + 1)
    return None


def is_whole(file: BinaryIO) -> bool:
    """Whether frame follows frame; not where a header was damaged and frames go on behind a gap, which decoders bridge.

    Damage within a frame leaves no trace. What lies behind the last one (tags, padding, half a frame) is not looked at.
    """
    size_bytes = file.seek(0, os.SEEK_END)
    at = _id3_bytes(file)
    at += _gap_bytes(file, at) or 0
    while at < size_bytes:
        file.seek(at)
        head = file.read(_ID3_HEADER_BYTES)
        length = _tag_bytes(head) or frame_bytes(head[:HEADER_BYTES])
        if length is None:
            return _gap_bytes(file, at) is None
        at += length
    return True


def _gap_bytes(file: BinaryIO, at: int) -> int | None:
    """How far from there frames follow one another; None: nowhere near."""
    file.seek(at)
    data = file.read(_GAP_BYTES)
    start = data.find(b"\xff")
    while start >= 0:
        if _go_on(data, start):
            return start
        start = data.find(b"\xff", start + 1)
    return None


def _go_on(data: bytes, at: int) -> bool:
    for _ in range(_SURE):
        length = frame_bytes(data[at : at + HEADER_BYTES])
        if length is None:
            return False
        at += length
    return True


def _declared_frames(body: bytes, frame: Frame) -> int | None:
    xing = body[frame.xing_offset : frame.xing_offset + 12]
    if xing[:4] in (b"Xing", b"Info") and len(xing) == 12 and xing[7] & 1:  # noqa: PLR2004 - id, flags, frames
        return int(struct.unpack(">I", xing[8:])[0]) or None
    vbri = body[_VBRI_OFFSET : _VBRI_OFFSET + 18]
    if vbri[:4] == b"VBRI" and len(vbri) == 18:  # noqa: PLR2004 - id, version, delay, quality, bytes, frames
        return int(struct.unpack(">I", vbri[14:])[0]) or None
    return None


def _id3_bytes(file: BinaryIO) -> int:
    """How many bytes an ID3v2 tag takes at the start of the file."""
    file.seek(0)
    return _tag_bytes(file.read(_ID3_HEADER_BYTES))


def _tag_bytes(head: bytes) -> int:
    """How many bytes the tag takes that begins so; 0: none does."""
    if head[:3] == b"TAG":
        return _ID3V1_BYTES
    if head[:3] != b"ID3" or len(head) < _ID3_HEADER_BYTES:
        return 0
    size = 0
    for byte in head[6:]:
        size = size << 7 | byte & 0x7F
    return _ID3_HEADER_BYTES + size
