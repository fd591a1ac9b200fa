"""AAC without a container: frames that each carry an ADTS header (ISO/IEC 13818-7, 6.2). Called by `sniff`."""

from __future__ import annotations

from typing import Final

HEADER_BYTES: Final = 7
_SYNC_MASK, _SYNC = 0xFFF6, 0xFFF0
_RATES: Final = 13


def frame_bytes(header: bytes) -> int | None:
    """The size of the frame that starts with these seven bytes; None when none does."""
    if int.from_bytes(header[:2], "big") & _SYNC_MASK != _SYNC or header[2] >> 2 & 0xF >= _RATES:
        return None
    size = (int.from_bytes(header[3:6], "big") >> 5) & 0x1FFF
    return size if size > HEADER_BYTES else None
