"""A folder of this machine as a source, be it a disk or a share. Nothing in it is changed unless something is moved.

Every path is walked part by part from the folder's own descriptor, and no part may be a link: a folder that becomes a link
while we look leads nowhere either. See `services.ingest.watching.ports`.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Final

from services.ingest.watching.decisions import Stamp
from services.ingest.watching.naming import climbs
from services.ingest.watching.ports import CHUNK_BYTES, MAX_ENTRIES, Entry, FileGone, FileRefused, Kind, SourceFault

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # never wait for the other end of a pipe
_GONE: Final = {errno.ENOENT, errno.ENOTDIR}
_DENIED: Final = {errno.EACCES, errno.EPERM, errno.EROFS}


class FolderSource:
    """See `ports.Source`.

    Args:
        root: The folder. It may itself be a link.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def session(self) -> Iterator[FolderSession]:
        """See `Source.session`."""
        try:
            descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise _fault(error) from error
        try:
            yield FolderSession(descriptor)
        finally:
            os.close(descriptor)


class FolderSession:
    """See `ports.Session`."""

    def __init__(self, root: int) -> None:
        self._root = root

    def list(self, folder: str) -> list[Entry]:
        """See `Session.list`."""
        with _told(), ExitStack() as opened:
            try:
                descriptor = self._folder(folder, opened)
            except (FileNotFoundError, NotADirectoryError, _Link):
                return []
            with os.scandir(descriptor) as entries:
                found = [one for entry in islice(entries, MAX_ENTRIES + 1) if (one := _entry(entry)) is not None]
        if len(found) > MAX_ENTRIES:
            raise SourceFault("folder_too_large")
        return found

    def stamp(self, path: str) -> Stamp:
        """See `Session.stamp`."""
        with _told(), ExitStack() as opened:
            parent = self._folder(_parent(path), opened)
            found = os.stat(_name(path), dir_fd=parent, follow_symlinks=False)
        _refuse_others(found.st_mode)
        return _stamp(found)

    def chunks(self, path: str) -> Iterator[bytes]:
        """See `Session.chunks`."""
        with _told(), ExitStack() as opened:
            parent = self._folder(_parent(path), opened)
            descriptor = os.open(_name(path), _FILE, dir_fd=parent)
            opened.callback(os.close, descriptor)
            _refuse_others(os.fstat(descriptor).st_mode)
            while chunk := os.read(descriptor, CHUNK_BYTES):
                yield chunk

    def move(self, path: str, target: str) -> bool:
        """See `Session.move`."""
        try:
            with _told(), ExitStack() as opened:
                source = self._folder(_parent(path), opened)
                folder = self._made_folder(_parent(target), opened)
                if _lies_there(_name(target), folder):
                    raise FileRefused("unreadable")
                os.rename(_name(path), _name(target), src_dir_fd=source, dst_dir_fd=folder)
        except FileGone:
            return False
        return True

    def write(self, path: str, data: bytes) -> None:
        """See `Session.write`."""
        with _told(), ExitStack() as opened:
            folder = self._made_folder(_parent(path), opened)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(_name(path), flags, 0o644, dir_fd=folder)
            opened.callback(os.close, descriptor)
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]

    def _folder(self, folder: str, opened: ExitStack) -> int:
        descriptor = self._root
        for part in _parts(folder):
            descriptor = _entered(part, descriptor, opened)
        # Its own descriptor, so that whoever reads it to the end does not do so for the next.
        return _entered(".", descriptor, opened)

    def _made_folder(self, folder: str, opened: ExitStack) -> int:
        descriptor = self._root
        for part in _parts(folder):
            with suppress(FileExistsError):
                os.mkdir(part, 0o755, dir_fd=descriptor)
            descriptor = _entered(part, descriptor, opened)
        return descriptor


class _Link(FileRefused):
    """A folder on the way is a link."""

    def __init__(self) -> None:
        super().__init__("symlink")


def _entered(name: str, parent: int, opened: ExitStack) -> int:
    try:
        descriptor = os.open(name, _FOLDER, dir_fd=parent)
    except NotADirectoryError:
        if stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            raise _Link from None
        raise
    opened.callback(os.close, descriptor)
    return descriptor


def _parts(path: str) -> list[str]:
    if path and climbs(path):
        raise FileRefused("not_a_file")
    return path.split("/") if path else []


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _name(path: str) -> str:
    name = path.rpartition("/")[2]
    _parts(name or "..")
    return name


def _lies_there(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _entry(entry: os.DirEntry[str]) -> Entry | None:
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # gone since it was listed
        return None
    kinds = {stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.FOLDER, stat.S_IFLNK: Kind.LINK}
    return Entry(entry.name, kinds.get(stat.S_IFMT(found.st_mode), Kind.OTHER), _stamp(found))


def _stamp(found: os.stat_result) -> Stamp:
    return Stamp.told(found.st_size, found.st_mtime_ns)


def _refuse_others(mode: int) -> None:
    if stat.S_ISLNK(mode):
        raise FileRefused("symlink")
    if not stat.S_ISREG(mode):
        raise FileRefused("not_a_file")


@contextmanager
def _told() -> Iterator[None]:
    """Say what an error of the system means."""
    try:
        yield
    except OSError as error:
        if error.errno in _GONE:
            raise FileGone from error
        if error.errno == errno.ELOOP:
            raise FileRefused("symlink") from error
        if error.errno in {*_DENIED, errno.EEXIST, errno.ENXIO, errno.EISDIR}:
            raise FileRefused("unreadable") from error
        raise _fault(error) from error


def _fault(error: OSError) -> SourceFault:
    """A share that is not mounted, or went away."""
    if error.errno in _GONE:
        return SourceFault("source_missing")
    return SourceFault("access_denied" if error.errno in _DENIED else "source_unavailable")
