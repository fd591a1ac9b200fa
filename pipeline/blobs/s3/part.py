"""A piece of an upload on its way: hashed while it comes, in memory while it is small, then in the scratch folder."""

from __future__ import annotations

import hashlib
import zlib
from contextlib import suppress
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Final, cast

from pipeline.blobs.s3 import checksum
from pipeline.blobs.scratch import scratch_errors

#: S3 takes parts of at least 5 MiB, and 10,000 of them: 78 GiB.
PART_BYTES: Final = 8 * 2**20
_MEMORY_BYTES: Final = 2**20


class Part:
    """Bytes of one request. Always `close` it."""

    def __init__(self, scratch_dir: Path | None) -> None:
        folder = None if scratch_dir is None else str(scratch_dir)
        self._file = SpooledTemporaryFile(_MEMORY_BYTES, dir=folder, prefix="razgovor-part-")  # noqa: SIM115
        self._sha256 = hashlib.sha256()
        self._crc32 = 0
        self.size_bytes = 0

    @property
    def room_bytes(self) -> int:
        """How many more it takes."""
        return PART_BYTES - self.size_bytes

    @property
    def sha256(self) -> str:
        """In hex."""
        return self._sha256.hexdigest()

    @property
    def checksum(self) -> str:
        """See `checksum.as_header`."""
        return checksum.as_header(self._crc32)

    def add(self, data: bytes) -> None:
        """Add bytes, at most `room_bytes`.

        Raises:
            Transient: The scratch folder is full.
        """
        self._sha256.update(data)
        self._crc32 = zlib.crc32(data, self._crc32)
        self.size_bytes += len(data)
        with scratch_errors():
            self._file.write(data)

    def body(self) -> IO[bytes]:
        """What to send, from its begin."""
        with scratch_errors():
            self._file.seek(0)
        return cast("IO[bytes]", self._file)

    def close(self) -> None:
        """Let go of the bytes."""
        with suppress(OSError):  # a full disk refuses the last flush of what nobody wants any more
            self._file.close()
