"""CRC-32 as S3 carries it: the store checks what we put, and says it again with what we get."""

from __future__ import annotations

import base64
import zlib
from typing import Final

from pipeline.blobs.s3.http import Response

HEADER: Final = "x-amz-checksum-crc32"
#: A GET's request for it.
WANTED: Final = {"x-amz-checksum-mode": "ENABLED"}


def as_header(crc32: int) -> str:
    """A checksum as the header says it."""
    return base64.b64encode(crc32.to_bytes(4, "big")).decode("ascii")


def of(data: bytes) -> str:
    """The checksum of these bytes as the header says it."""
    return as_header(zlib.crc32(data))


def said_by(response: Response) -> str | None:
    """The checksum of the whole object; None where the store keeps none, or one of each part."""
    said = response.headers.get(HEADER)
    return said if said and "-" not in said else None
