"""Any store, with the time of its calls counted. `__main__` puts it around the store that it constructs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from pipeline.blobs.ports import BlobInfo, BlobStore, BlobWriter
from pipeline.telemetry.metrics import Metrics

_PEER: Final = "store"
ValueT = TypeVar("ValueT")


class MeteredStore:
    """See `BlobStore`. Of a stream, opening, writing and committing are counted, not what its user does meanwhile."""

    def __init__(self, store: BlobStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    def put(self, key: str, data: bytes, *, media_type: str) -> None:
        """See `BlobStore.put`."""
        with self._metrics.call(_PEER, "put"):
            self._store.put(key, data, media_type=media_type)

    @contextmanager
    def writer(self, key: str, *, media_type: str) -> Iterator[BlobWriter]:
        """See `BlobStore.writer`."""
        with self._store.writer(key, media_type=media_type) as writer:
            yield _MeteredWriter(writer, self._metrics)

    def read(self, key: str) -> bytes:
        """See `BlobStore.read`."""
        with self._metrics.call(_PEER, "read"):
            return self._store.read(key)

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        """See `BlobStore.open`."""
        return self._entered(self._store.open(key), "open")

    def local_path(self, key: str) -> AbstractContextManager[Path]:
        """See `BlobStore.local_path`."""
        return self._entered(self._store.local_path(key), "fetch")

    def stat(self, key: str) -> BlobInfo | None:
        """See `BlobStore.stat`."""
        with self._metrics.call(_PEER, "stat"):
            return self._store.stat(key)

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """See `BlobStore.list`. Not counted: it is read as slowly as its user wants."""
        return self._store.list(prefix)

    def delete(self, key: str) -> None:
        """See `BlobStore.delete`."""
        with self._metrics.call(_PEER, "delete"):
            self._store.delete(key)

    def discard_uploads(self, before: datetime) -> int:
        """See `BlobStore.discard_uploads`."""
        return self._store.discard_uploads(before)

    def verify(self) -> None:
        """See `BlobStore.verify`."""
        with self._metrics.call(_PEER, "verify"):
            self._store.verify()

    @contextmanager
    def _entered(self, context: AbstractContextManager[ValueT], operation: str) -> Iterator[ValueT]:
        with ExitStack() as leaving:
            with self._metrics.call(_PEER, operation):
                value = leaving.enter_context(context)
            yield value


class _MeteredWriter:
    def __init__(self, writer: BlobWriter, metrics: Metrics) -> None:
        self._writer = writer
        self._metrics = metrics

    def write(self, chunk: bytes) -> None:
        with self._metrics.call(_PEER, "write"):
            self._writer.write(chunk)

    def commit(self) -> None:
        with self._metrics.call(_PEER, "commit"):
            self._writer.commit()

    def at_hand(self) -> AbstractContextManager[Path | None]:
        return self._writer.at_hand()
