"""Is an Ogg file whole? Its decoders bridge lost pages without a word, so `decode` asks here."""

from __future__ import annotations

import os
import zlib
from typing import BinaryIO, Final

_HEADER_BYTES: Final = 27
_CRC_AT: Final = slice(22, 26)
_SEGMENTS_AT: Final = 26
_FLAGS_AT: Final = 5
_END_OF_STREAM: Final = 4
# Ogg's CRC-32 is zlib's with the bits of every byte, and of the result, the other way round.
_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def is_whole(file: BinaryIO) -> bool:
    """Whether page follows page without damage up to one that ends its stream."""
    size_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    flags = 0
    while file.tell() < size_bytes:
        page = _read_page(file)
        if page is None:
            return False
        flags = page[_FLAGS_AT]
    return bool(flags & _END_OF_STREAM)


def _read_page(file: BinaryIO) -> bytes | None:
    """The page at the file's position, at most 65 kB; None when there is none or it is damaged."""
    header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or header[:4] != b"OggS":
        return None
    segments = file.read(header[_SEGMENTS_AT])
    body = file.read(sum(segments))
    if len(segments) < header[_SEGMENTS_AT] or len(body) < sum(segments):
        return None
    page = bytearray(header + segments + body)
    claimed = int.from_bytes(page[_CRC_AT], "little")
    page[_CRC_AT] = bytes(4)
    return bytes(page) if _crc(bytes(page)) == claimed else None


def _crc(data: bytes) -> int:
    plain = zlib.crc32(data.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(plain.to_bytes(4, "little").translate(_REVERSED), "big")
