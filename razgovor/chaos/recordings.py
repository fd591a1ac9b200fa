"""Recordings that the rig sends: small WAV files, no two alike, marked with poison where one is to break something."""

from __future__ import annotations

import random
import struct
from typing import Final

from razgovor.chaos.poison import Poison

SAMPLE_RATE_HZ: Final = 8_000
DURATION_S: Final = 0.5
_PCM: Final = 1


def recording(seed: int, number: int, *, poison: Poison | None = None, duration_s: float = DURATION_S) -> bytes:
    """The recording of this number: mono, 8 bits, 8 kHz; the same again for the same arguments.

    Args:
        seed: Of the run.
        number: Of the recording in it.
        poison: What its mark says; None: no mark.
        duration_s: Its length.
    """
    noise = random.Random(f"{seed}/{number}").randbytes(round(duration_s * SAMPLE_RATE_HZ))  # noqa: S311  no secret
    form = struct.pack("<HHIIHH", _PCM, 1, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ, 1, 8)
    comment = b"" if poison is None else _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", poison.mark))
    body = b"WAVE" + _chunk(b"fmt ", form) + comment + _chunk(b"data", noise)
    return _chunk(b"RIFF", body)


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
