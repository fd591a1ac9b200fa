"""The store as a dictionary: the port's shipped fake."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pipeline.blobs.ports import BlobInfo, BlobNotFound


class _MemoryWriter:
    def __init__(self, store: MemoryStore, key: str) -> None:
        self._store = store
        self._key = key
        self._buffer = io.BytesIO()

    def write(self, chunk: bytes) -> None:
        self._buffer.write(chunk)

    def commit(self) -> None:
        self._store.objects[self._key] = self._buffer.getvalue()

    def at_hand(self) -> AbstractContextManager[Path | None]:
        data = self._buffer.getvalue()
        return _as_file(data) if len(data) <= self._store.at_hand_max_bytes else nullcontext()


class MemoryStore:
    """Objects in memory; `objects` is there for tests to look at and to break.

    `now` is the store's clock; `times` holds when objects came to be, where that is not now; `uploads` when uploads
    began that were left; `at_hand_max_bytes` how much of an object that is being written is still at hand.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.times: dict[str, datetime] = {}
        self.uploads: list[datetime] = []
        self.at_hand_max_bytes = 8 * 2**20

    def put(self, key: str, data: bytes, *, media_type: str) -> None:  # noqa: ARG002  the port's signature
        """See `BlobStore.put`."""
        self.objects[key] = data

    @contextmanager
    def writer(self, key: str, *, media_type: str) -> Iterator[_MemoryWriter]:  # noqa: ARG002  the port's signature
        """See `BlobStore.writer`."""
        yield _MemoryWriter(self, key)

    def read(self, key: str) -> bytes:
        """See `BlobStore.read`."""
        try:
            return self.objects[key]
        except KeyError:
            raise BlobNotFound(key) from None

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """See `BlobStore.open`."""
        yield io.BytesIO(self.read(key))

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        """See `BlobStore.local_path`."""
        with _as_file(self.read(key)) as path:
            yield path

    def stat(self, key: str) -> BlobInfo | None:
        """See `BlobStore.stat`."""
        data = self.objects.get(key)
        return None if data is None else self._info(key)

    def _info(self, key: str) -> BlobInfo:
        return BlobInfo(key, len(self.objects[key]), self.times.get(key, self.now))

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """See `BlobStore.list`."""
        return iter([self._info(key) for key in sorted(self.objects) if key.startswith(prefix)])

    def delete(self, key: str) -> None:
        """See `BlobStore.delete`."""
        self.objects.pop(key, None)

    def discard_uploads(self, before: datetime) -> int:
        """See `BlobStore.discard_uploads`."""
        left = [began for began in self.uploads if began >= before]
        count = len(self.uploads) - len(left)
        self.uploads[:] = left
        return count

    def verify(self) -> None:
        """See `BlobStore.verify`."""


@contextmanager
def _as_file(data: bytes) -> Iterator[Path]:
    with tempfile.NamedTemporaryFile(prefix="razgovor-") as file:
        file.write(data)
        file.flush()
        yield Path(file.name)
