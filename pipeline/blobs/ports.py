"""What everybody needs of the store, on S3's common ground."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from pipeline.errors import Fatal, RazgovorError

#: Of an object whose store did not say when it came to be: nobody may take it for an old one.
UNKNOWN_TIME: Final = datetime.max.replace(tzinfo=UTC)


class BlobNotFound(RazgovorError):
    """No object has this key."""


class StoreRefusal(Fatal):
    """The store refuses us.

    Attributes:
        code: S3's, or `status 403` where it gave none.
    """

    def __init__(self, code: str) -> None:
        super().__init__(f"the store refuses us: {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """An object without its bytes.

    Attributes:
        modified_at: When it came to be, by the store's own clock; of a large one perhaps when its upload began.
    """

    key: str
    size_bytes: int
    modified_at: datetime = field(default=UNKNOWN_TIME, compare=False)


class BlobWriter(Protocol):
    """An upload under way. Nothing is visible before `commit`; leaving the context without it leaves nothing behind."""

    def write(self, chunk: bytes) -> None:
        """Add bytes.

        Raises:
            Transient: The store does not take them (full, gone).
        """

    def commit(self) -> None:
        """Make the whole object visible at once, durable when this returns."""

    def at_hand(self) -> AbstractContextManager[Path | None]:
        """All that was written, as a file to read while the context lasts, before `commit` or after. Never written to.

        None where it is not at hand any more: a large object has left in parts, and the store has to be asked for it.

        Raises:
            Transient: There is no room for the file.
        """


class BlobStore(Protocol):
    """A store of immutable objects. Every method may raise Transient when the store does not answer."""

    def put(self, key: str, data: bytes, *, media_type: str) -> None:
        """Put a small object whole, durable when this returns; the same key again is the same object."""

    def writer(self, key: str, *, media_type: str) -> AbstractContextManager[BlobWriter]:
        """Stream a large object in."""

    def read(self, key: str) -> bytes:
        """A small object whole.

        Raises:
            BlobNotFound: No such key.
        """

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        """A seekable stream of a large object.

        Raises:
            BlobNotFound: No such key.
        """

    def local_path(self, key: str) -> AbstractContextManager[Path]:
        """The object as a file to read while the context lasts (a copy where the store is remote). Never written to.

        Raises:
            BlobNotFound: No such key.
        """

    def stat(self, key: str) -> BlobInfo | None:
        """Size, or None if there is no such key."""

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """All objects whose key starts with the prefix, by key."""

    def delete(self, key: str) -> None:
        """Remove; a key that is not there is fine."""

    def discard_uploads(self, before: datetime) -> int:
        """Give up uploads that began before this, by the store's own clock, and were left: whoever began them was killed.

        Returns:
            How many.
        """

    def verify(self) -> None:
        """Prove by a test write that we may write, read and delete.

        Raises:
            Transient: The store does not answer, or is full.
            Fatal: We may not.
        """


class PresignedReads(Protocol):
    """A store that lets others read an object for a while. Never write: what is put is counted and hashed by us.

    For whoever builds on the store: our services serve reads themselves, with the client's rights, and ask for no URLs.
    """

    def presigned_get(self, key: str, *, expires_s: int, file_name: str) -> str:
        """A URL by which whoever holds it may GET the object, saved under `file_name`, until it expires."""
