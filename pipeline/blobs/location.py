"""From a store's address to the store. Called by every `__main__`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.blobs.folder import FolderStore
from pipeline.blobs.ports import BlobStore
from pipeline.errors import Fatal


def store_at(url: str) -> BlobStore:
    """The store of an address: `file:///absolute/folder`.

    Raises:
        Fatal: No store can be had by this address.
    """
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
        raise Fatal("store_url must be file:///absolute/folder")
    return FolderStore(Path(unquote(parts.path)))
