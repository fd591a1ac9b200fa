"""The shipped fake of `services.ingest.watching.ports.Source`: files as a mapping."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.ingest.watching.decisions import Stamp
from services.ingest.watching.naming import climbs
from services.ingest.watching.ports import CHUNK_BYTES, Entry, FileGone, FileRefused, Kind, SourceFault


@dataclass(slots=True)
class MemoryFile:
    """A file, or a link to something."""

    data: bytes
    modified_ns: int = 0
    kind: Kind = Kind.FILE

    @property
    def stamp(self) -> Stamp:
        """See `Stamp`."""
        return Stamp(len(self.data), self.modified_ns)

    def read(self) -> bytes:
        """All of it; for whoever wants something to happen meanwhile."""
        return self.data


@dataclass
class MemorySource:
    """See `ports.Source`. `fault`: why it cannot be looked at; `read_only`: it lets nobody write."""

    files: dict[str, MemoryFile] = field(default_factory=dict)
    fault: str | None = None
    read_only: bool = False

    @contextmanager
    def session(self) -> Iterator[MemorySession]:
        """See `Source.session`."""
        if self.fault is not None:
            raise SourceFault(self.fault)
        yield MemorySession(self)

    def put(self, path: str, data: bytes, modified_ns: int = 0) -> None:
        """Have a file lie there."""
        self.files[path] = MemoryFile(data, modified_ns)


class MemorySession:
    """See `ports.Session`."""

    def __init__(self, source: MemorySource) -> None:
        self._source = source

    def list(self, folder: str) -> list[Entry]:
        """See `Session.list`."""
        prefix = f"{folder}/" if folder else ""
        found: dict[str, Entry] = {}
        for path, file in self._source.files.items():
            if path.startswith(prefix):
                name, below, _ = path.removeprefix(prefix).partition("/")
                entry = Entry(name, Kind.FOLDER, Stamp(0, 0)) if below else Entry(name, file.kind, file.stamp)
                found.setdefault(name, entry)
        return list(found.values())

    def stamp(self, path: str) -> Stamp:
        """See `Session.stamp`."""
        return self._file(path).stamp

    def chunks(self, path: str) -> Iterator[bytes]:
        """See `Session.chunks`."""
        data = self._file(path).read()
        for begin in range(0, len(data), CHUNK_BYTES):
            yield data[begin : begin + CHUNK_BYTES]

    def move(self, path: str, target: str) -> bool:
        """See `Session.move`."""
        self._refuse_writing(target)
        if path not in self._source.files:
            return False
        if target in self._source.files:
            raise FileRefused("unreadable")
        self._source.files[target] = self._source.files.pop(path)
        return True

    def write(self, path: str, data: bytes) -> None:
        """See `Session.write`."""
        self._refuse_writing(path)
        self._source.put(path, data)

    def _refuse_writing(self, path: str) -> None:
        if climbs(path):
            raise FileRefused("not_a_file")
        if self._source.read_only:
            raise FileRefused("unreadable")

    def _file(self, path: str) -> MemoryFile:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            folder = self._source.files.get("/".join(parts[:depth]))
            if folder is not None and folder.kind is Kind.LINK:
                raise FileRefused("symlink")
        file = self._source.files.get(path)
        if climbs(path) or (file is None and any(name.startswith(f"{path}/") for name in self._source.files)):
            raise FileRefused("not_a_file")
        if file is None:
            raise FileGone
        if file.kind is not Kind.FILE:
            raise FileRefused("symlink" if file.kind is Kind.LINK else "not_a_file")
        return file
