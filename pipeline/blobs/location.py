"""From a store's address to the store. Called by every `__main__`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.blobs.folder import FolderStore
from pipeline.blobs.options import StoreOptions
from pipeline.blobs.ports import BlobStore
from pipeline.errors import Fatal


def store_at(url: str, options: StoreOptions | None = None) -> BlobStore:
    """The store of an address: `file:///absolute/folder`, or `s3://bucket?endpoint=http://host:port&region=name`.

    Raises:
        Fatal: No store can be had by this address.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3":
        # Imported when needed: a store in a folder needs no HTTP.
        from pipeline.blobs.s3 import S3Store  # noqa: PLC0415
        from pipeline.blobs.s3.address import S3Address  # noqa: PLC0415

        return S3Store(S3Address.parse(url), options or StoreOptions())
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
        raise Fatal("store_url must be file:///absolute/folder or s3://bucket?endpoint=https://host:port")
    return FolderStore(Path(unquote(parts.path)))
