"""The store, to be read: a folder or S3. Nothing is made, not even a folder that is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from pipeline.blobs.location import store_at
from pipeline.blobs.options import StoreOptions
from pipeline.blobs.ports import BlobNotFound, BlobStore
from pipeline.contracts import layout
from pipeline.errors import Fatal
from razgovor.audit.facts import StoredObject
from razgovor.audit.sources import Objects


def objects_at(url: str, options: StoreOptions) -> Objects:
    """The objects of a store's address; see `pipeline.blobs.location`.

    Raises:
        Fatal: No store can be had by this address, or there is no such folder.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc:
        return FolderObjects(Path(unquote(parts.path)))
    return BlobObjects(store_at(url, options))


class BlobObjects:
    """See `sources.Objects`: those of any store."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store

    def list(self) -> Iterator[StoredObject]:
        """See `Objects.list`."""
        for blob in self._store.list(layout.JOBS_PREFIX):
            yield StoredObject(key=blob.key, size_bytes=blob.size_bytes, modified_at=blob.modified_at)

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        """See `Objects.open`."""
        return self._store.open(key)


class FolderObjects:
    """See `sources.Objects`: those of a folder, walked in the order of their keys, one folder in memory at a time.

    Args:
        root: The store's folder.

    Raises:
        Fatal: There is none.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise Fatal("the store's folder is not there")
        self._root = root

    def list(self) -> Iterator[StoredObject]:
        """See `Objects.list`."""
        return self._below(layout.JOBS_PREFIX)

    def _below(self, prefix: str) -> Iterator[StoredObject]:
        try:
            with os.scandir(self._root / prefix) as found:
                names = sorted(
                    entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name for entry in found
                )
        except FileNotFoundError:  # deleted meanwhile
            return
        for name in names:
            if name.endswith("/"):
                yield from self._below(prefix + name)
            elif (seen := self._look(prefix + name)) is not None:
                yield seen

    def _look(self, key: str) -> StoredObject | None:
        try:
            found = (self._root / key).stat()
        except FileNotFoundError:
            return None
        at = datetime.fromtimestamp(found.st_mtime, UTC)
        return StoredObject(key=key, size_bytes=found.st_size, modified_at=at)

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """See `Objects.open`."""
        try:
            stream = (self._root / key).open("rb")
        except FileNotFoundError as error:
            raise BlobNotFound(key) from error
        with stream:
            yield stream
