"""The store as a folder of the one-machine stack: files 0600, folders 0700, every object appears whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from pipeline.blobs.ports import BlobInfo, BlobNotFound
from pipeline.errors import Fatal, Transient

#: Uploads under way lie here, on the same file system, so that a rename makes them visible.
_INCOMING: Final = ".incoming"
_FOLDER_MODE: Final = 0o700
#: A full disk is freed, a lost mount comes back; wrong rights stay.
_PASSING: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ESTALE, errno.ENOTCONN})


class FolderStore:
    """Objects as files below `root`. Temporary files of a killed process are left in `.incoming` and never seen."""

    def __init__(self, root: Path) -> None:
        """`root` is made if it is missing; the mode of a folder that is there already is never changed."""
        self._root = root
        with _store_errors():
            for folder in (root, root / _INCOMING):
                _make_folders(folder)

    def put(self, key: str, data: bytes, *, media_type: str) -> None:
        """See `BlobStore.put`."""
        with self.writer(key, media_type=media_type) as writer:
            writer.write(data)
            writer.commit()

    @contextmanager
    def writer(self, key: str, *, media_type: str) -> Iterator[_FolderWriter]:  # noqa: ARG002  a folder keeps none
        """See `BlobStore.writer`."""
        target = self._path(key)
        with _store_errors():
            descriptor, name = tempfile.mkstemp(dir=self._root / _INCOMING)  # mkstemp: mode 0600
        scratch = Path(name)
        file = os.fdopen(descriptor, "wb")
        try:
            yield _FolderWriter(file, scratch, target)
        finally:
            with suppress(OSError):  # a full disk refuses the last bytes; what was committed has none
                file.close()
            scratch.unlink(missing_ok=True)

    def read(self, key: str) -> bytes:
        """See `BlobStore.read`."""
        with self.open(key) as stream:
            return stream.read()

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """See `BlobStore.open`."""
        with _store_errors(key):
            stream = self._path(key).open("rb")
        with stream:
            yield stream

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        """See `BlobStore.local_path`. The file itself: a folder needs no copy."""
        if self.stat(key) is None:
            raise BlobNotFound(key)
        yield self._path(key)

    def stat(self, key: str) -> BlobInfo | None:
        """See `BlobStore.stat`."""
        try:
            with _store_errors(key):
                found = self._path(key).stat()
        except BlobNotFound:
            return None
        return BlobInfo(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """See `BlobStore.list`."""
        # A prefix may end within a name, so the walk begins at the last whole folder of it.
        start = self._root / prefix.rpartition("/")[0]
        keys = sorted(
            path.relative_to(self._root).as_posix()
            for path in start.rglob("*")
            if path.is_file() and self._root / _INCOMING not in path.parents
        )
        for key in keys:
            if key.startswith(prefix) and (info := self.stat(key)) is not None:
                yield info

    def delete(self, key: str) -> None:
        """See `BlobStore.delete`. Folders that are empty now go too."""
        path = self._path(key)
        with suppress(BlobNotFound), _store_errors(key):
            path.unlink()
        with suppress(OSError):
            for folder in path.parents:
                if folder == self._root:
                    break
                folder.rmdir()

    def discard_uploads(self, before: datetime) -> int:
        """See `BlobStore.discard_uploads`. One counts as begun when it was last written to."""
        count = 0
        with _store_errors():
            for path in (self._root / _INCOMING).iterdir():
                with suppress(FileNotFoundError):  # it became an object meanwhile
                    if path.stat().st_mtime < before.timestamp():
                        path.unlink()
                        count += 1
        return count

    def verify(self) -> None:
        """See `BlobStore.verify`."""
        key = f"control/verify-{secrets.token_hex(8)}"  # services that start together prove it side by side
        try:
            self.put(key, b"razgovor", media_type="text/plain")
            self.read(key)
            self.delete(key)
        except Transient as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno in _PASSING:
                raise
            raise Fatal(f"the store folder cannot be written and read: {error}") from error
        except BlobNotFound as error:
            raise Fatal(f"the store folder cannot be written and read: {error}") from error

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if not key or any(part in {"", ".", "..", _INCOMING} for part in parts) or "\0" in key:
            raise ValueError("keys are ours: relative, without empty or climbing parts")
        return self._root.joinpath(*parts)


class _FolderWriter:
    def __init__(self, file: BinaryIO, scratch: Path, target: Path) -> None:
        self._file = file
        self._scratch = scratch
        self._target = target
        self._at = scratch

    def write(self, chunk: bytes) -> None:
        with _store_errors():
            self._file.write(chunk)

    def commit(self) -> None:
        with _store_errors():
            self._file.flush()
            os.fsync(self._file.fileno())
            _replace_making_folders(self._scratch, self._target)
            _sync_folder(self._target.parent)
        self._at = self._target

    @contextmanager
    def at_hand(self) -> Iterator[Path]:
        with _store_errors():
            self._file.flush()
        yield self._at


def _replace_making_folders(scratch: Path, target: Path) -> None:
    # A delete beside us may take an empty folder away: between mkdir and rename, within a path that is being made, or when
    # mkdir found it there and looks what it is. Make it again.
    for _ in range(10):
        with suppress(FileNotFoundError, FileExistsError):
            _make_folders(target.parent)
            scratch.replace(target)
            return
    raise Transient("the object's folder vanishes again and again")


def _make_folders(folder: Path) -> None:
    for parent in (*reversed(folder.parents), folder):
        if not parent.exists():
            parent.mkdir(mode=_FOLDER_MODE, exist_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _store_errors(key: str = "") -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise BlobNotFound(key) from error
    except OSError as error:
        # A full disk, a lost mount, wrong rights: the store's fault, not the call's.
        raise Transient(f"store: {errno.errorcode.get(error.errno or 0, 'OSError')}") from error
