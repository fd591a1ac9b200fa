"""The stores of `sources.Sources`: buckets of one S3 endpoint, or folders below one. Shipped fake: `MemorySources`."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import unquote, urlsplit

from pipeline.blobs.location import store_at
from pipeline.blobs.options import StoreOptions
from pipeline.blobs.ports import BlobNotFound, BlobStore, StoreRefusal
from pipeline.errors import Fatal, Transient
from services.ingest.sources import Incoming, NoSuchObject, Reference, SourceAway, Sources

_CHUNK_BYTES: Final = 262_144
#: Buckets whose connections are kept.
_BUCKETS_KEPT: Final = 64
#: What S3 says of an object or a bucket that is not for us; anything else it refuses concerns all of them alike.
_NOT_FOR_US: Final = frozenset({"AccessDenied", "AllAccessDisabled", "NoSuchBucket", "status 403"})


def sources_at(url: str, options: StoreOptions, *, store_url: str = "") -> Sources:
    """The sources of an address: `s3://?endpoint=https://host:port&region=name`, or `file:///folder` with a folder a bucket.

    Args:
        url: Their address.
        options: How they are reached.
        store_url: Our own store's: its bucket holds every client's calls, so it is nobody's source.

    Raises:
        Fatal: There are none at this address.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3" and not parts.netloc and not parts.path:
        store_at(f"s3://any?{parts.query}", options)  # a wrong address shall be known now
        own = urlsplit(store_url)
        return S3Sources(
            lambda bucket: store_at(f"s3://{bucket}?{parts.query}", options), own.netloc if own.scheme == "s3" else None
        )
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return FolderSources(Path(unquote(parts.path)))
    raise Fatal("source_url must be s3://?endpoint=https://host:port or file:///absolute/folder")


class S3Sources:
    """Buckets, each opened when it is first asked for; all but our own."""

    def __init__(self, bucket: Callable[[str], BlobStore], own_bucket: str | None = None) -> None:
        self._bucket = lru_cache(maxsize=_BUCKETS_KEPT)(bucket)
        self._own_bucket = own_bucket

    @contextmanager
    def open(self, wanted: Reference) -> Iterator[Incoming]:
        """See `Sources.open`."""
        if wanted.bucket == self._own_bucket:
            raise NoSuchObject(denied=True)
        store = self._bucket(wanted.bucket)
        with ExitStack() as stack:
            with _named_failures(store):
                info = store.stat(wanted.key)
                if info is None:
                    raise NoSuchObject
                stream = stack.enter_context(store.open(wanted.key))
            yield Incoming(info.size_bytes, _chunks(stream, store))


class FolderSources:
    """Folders below one, each a bucket. A link that leads out of its bucket is not there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def open(self, wanted: Reference) -> Iterator[Incoming]:
        """See `Sources.open`."""
        bucket = self._root / wanted.bucket
        try:
            path = (bucket / wanted.key).resolve(strict=True)
            if not path.is_relative_to(bucket.resolve(strict=True)) or not path.is_file():
                raise NoSuchObject
            stream = path.open("rb")
        except PermissionError as error:
            raise NoSuchObject(denied=True) from error
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NoSuchObject from error
        except OSError as error:
            raise SourceAway("the folder of sources does not answer") from error
        with stream:
            yield Incoming(os.fstat(stream.fileno()).st_size, _chunks(stream, None))


class MemorySources:
    """See `Sources`. `on_open` is told of every `open`, which raises `fail` where it is set."""

    def __init__(self, objects: Mapping[tuple[str, str], bytes] | None = None) -> None:
        self.objects = dict(objects or {})
        self.fail: Exception | None = None
        self.on_open: Callable[[], object] = lambda: None

    @contextmanager
    def open(self, wanted: Reference) -> Iterator[Incoming]:
        """See `Sources.open`."""
        self.on_open()
        if self.fail is not None:
            raise self.fail
        data = self.objects.get((wanted.bucket, wanted.key))
        if data is None:
            raise NoSuchObject
        yield Incoming(len(data), iter([data]))


def _chunks(stream: BinaryIO, store: BlobStore | None) -> Iterator[bytes]:
    with _named_failures(store):
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk


@contextmanager
def _named_failures(store: BlobStore | None) -> Iterator[None]:
    try:
        yield
    except BlobNotFound as error:
        raise NoSuchObject from error
    except StoreRefusal as error:
        if error.code in _NOT_FOR_US:
            raise NoSuchObject(denied=True) from error
        raise SourceAway(str(error)) from error
    except Fatal as error:  # its certificate: that goes for every object, and uploads need none of them
        raise SourceAway(str(error)) from error
    except OSError as error:
        raise SourceAway("the folder of sources does not answer") from error
    except SourceAway:
        raise
    except Transient as error:
        if store is not None and not _answers(store):
            raise SourceAway(str(error)) from error
        raise


def _answers(store: BlobStore) -> bool:
    """Whether the store answers at all, and so only the object is at fault."""
    try:
        store.stat(f"razgovor-{secrets.token_hex(8)}")
    except Transient:
        return False
    except Fatal:
        return True
    return True
