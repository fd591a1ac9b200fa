"""Streams of frames that each begin with a sync word and tell their own size: MPEG audio, AAC in ADTS. Used by `mpeg` and `adts`."""

from __future__ import annotations

from collections.abc import Callable


def count_frames(head: bytes, header_bytes: int, frame_bytes: Callable[[bytes], int | None]) -> int:
    """How many headers stand where the frame before says, from the first byte on; 0: no frame begins here.

    Args:
        head: A file's first bytes.
        header_bytes: What it takes to tell a frame.
        frame_bytes: A frame's size by its header; None where it is none.
    """
    count = start = 0
    while len(header := head[start : start + header_bytes]) == header_bytes:
        size = frame_bytes(header)
        if not size:
            break
        count += 1
        start += size
    return count


def starts_stream(head: bytes, header_bytes: int, frame_bytes: Callable[[bytes], int | None]) -> bool:
    """Whether these bytes start with a frame and, as far as they reach, another one right behind it."""
    count = count_frames(head, header_bytes, frame_bytes)
    return count > 1 or (count == 1 and len(head) < (frame_bytes(head[:header_bytes]) or 0) + header_bytes)
