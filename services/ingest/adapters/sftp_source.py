"""An SFTP server as a source, by asyncssh. Its host key must stand in a file of known hosts; see `watching.ports`.

asyncssh runs on an event loop in a thread of the session's; whoever looks stays as blocking as over a folder. Nothing of the
user's own `~/.ssh` is read: neither configuration nor keys nor an agent's.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import asyncssh
from anyio.from_thread import BlockingPortal, start_blocking_portal

from services.ingest.watching.decisions import Stamp
from services.ingest.watching.naming import climbs
from services.ingest.watching.ports import CHUNK_BYTES, MAX_ENTRIES, Entry, FileGone, FileRefused, Kind, SourceFault

T = TypeVar("T")
_KEEPALIVE_S: Final = 15
_NS: Final = 1_000_000_000
_KINDS: Final = {
    asyncssh.FILEXFER_TYPE_REGULAR: Kind.FILE,
    asyncssh.FILEXFER_TYPE_DIRECTORY: Kind.FOLDER,
    asyncssh.FILEXFER_TYPE_SYMLINK: Kind.LINK,
}
_GONE: Final = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory)
_DENIED: Final = (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect, asyncssh.SFTPFileAlreadyExists)


@dataclass(frozen=True, slots=True, kw_only=True)
class SftpPlace:
    """Where the server is, and how it is entered.

    Attributes:
        known_hosts: OpenSSH's file: the server's host key must stand there.
        timeout_s: Every answer takes at most this.
    """

    host: str
    port: int
    user: str
    folder: str
    known_hosts: Path
    private_key: Path | None = None
    passphrase: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    timeout_s: float = 30.0


class SftpSource:
    """See `ports.Source`."""

    def __init__(self, place: SftpPlace) -> None:
        self._place = place
        asyncssh.set_log_level(logging.WARNING)  # below it, it tells users and paths

    @contextmanager
    def session(self) -> Iterator[SftpSession]:
        """See `Source.session`."""
        with start_blocking_portal() as portal:
            connection = portal.call(self._connect)
            try:
                root, client = portal.call(self._enter, connection)
                yield SftpSession(portal, client, root, self._place.timeout_s)
            finally:
                portal.call(self._leave, connection)

    async def _connect(self) -> asyncssh.SSHClientConnection:
        place = self._place
        try:
            return await asyncio.wait_for(
                asyncssh.connect(
                    place.host,
                    place.port,
                    username=place.user,
                    known_hosts=str(place.known_hosts),
                    client_keys=None if place.private_key is None else [str(place.private_key)],
                    passphrase=place.passphrase,
                    password=place.password,
                    agent_path=None,
                    config=None,
                    keepalive_interval=_KEEPALIVE_S,
                ),
                place.timeout_s,
            )
        except (asyncssh.Error, OSError, ValueError, TimeoutError) as error:
            raise _fault(error) from error

    async def _enter(self, connection: asyncssh.SSHClientConnection) -> tuple[str, asyncssh.SFTPClient]:
        try:
            client = await asyncio.wait_for(
                connection.start_sftp_client(path_errors="surrogateescape"), self._place.timeout_s
            )
            root = await asyncio.wait_for(client.realpath(self._place.folder), self._place.timeout_s)
            if not await asyncio.wait_for(client.isdir(root), self._place.timeout_s):
                raise SourceFault("source_missing")
        except (asyncssh.Error, OSError, ValueError, TimeoutError) as error:
            raise _fault(error) from error
        return root, client

    async def _leave(self, connection: asyncssh.SSHClientConnection) -> None:
        connection.close()
        with suppress(asyncssh.Error, OSError, TimeoutError):
            await asyncio.wait_for(connection.wait_closed(), self._place.timeout_s)


class SftpSession:
    """See `ports.Session`.

    Args:
        portal: The thread with asyncssh's loop.
        client: Entered.
        root: The source's folder, without links.
        timeout_s: Every answer takes at most this.
    """

    def __init__(self, portal: BlockingPortal, client: asyncssh.SFTPClient, root: str, timeout_s: float) -> None:
        self._portal = portal
        self._client = client
        self._root = root.rstrip("/")
        self._timeout_s = timeout_s

    def list(self, folder: str) -> list[Entry]:
        """See `Session.list`."""
        try:
            return [*self._call(self._list, folder)]
        except (FileGone, _Elsewhere):
            return []

    def stamp(self, path: str) -> Stamp:
        """See `Session.stamp`."""
        return self._call(self._stamp, path)

    def chunks(self, path: str) -> Iterator[bytes]:
        """See `Session.chunks`."""
        file: asyncssh.SFTPClientFile = self._call(self._open, path)
        try:
            while chunk := self._call(_read, file):
                yield chunk
        finally:
            with suppress(FileGone, FileRefused, SourceFault):
                self._call(file.close)

    def move(self, path: str, target: str) -> bool:
        """See `Session.move`."""
        try:
            self._call(self._move, path, target)
        except FileGone:
            return False
        return True

    def write(self, path: str, data: bytes) -> None:
        """See `Session.write`."""
        self._call(self._write, path, data)

    async def _list(self, folder: str) -> deque[Entry]:
        await self._refuse_links(folder)
        entries = deque[Entry]()
        async for found in self._client.scandir(self._at(folder)):
            if len(entries) == MAX_ENTRIES:
                raise SourceFault("folder_too_large")
            name = str(found.filename)
            if name not in {".", ".."}:
                entries.append(Entry(name, _KINDS.get(found.attrs.type, Kind.OTHER), _stamp(found.attrs)))
        return entries

    async def _stamp(self, path: str) -> Stamp:
        await self._refuse_links(path.rpartition("/")[0])
        found = await self._client.lstat(self._at(path))
        kind = _KINDS.get(found.type, Kind.OTHER)
        if kind is not Kind.FILE:
            raise FileRefused("symlink" if kind is Kind.LINK else "not_a_file")
        return _stamp(found)

    async def _open(self, path: str) -> asyncssh.SFTPClientFile:
        await self._stamp(path)
        return await self._client.open(self._at(path), "rb")

    async def _move(self, path: str, target: str) -> None:
        await self._stamp(path)
        await self._make_folder(target.rpartition("/")[0])
        if await self._client.lexists(self._at(target)):
            raise FileRefused("unreadable")
        await self._client.rename(self._at(path), self._at(target))

    async def _write(self, path: str, data: bytes) -> None:
        await self._make_folder(path.rpartition("/")[0])
        async with self._client.open(self._at(path), "wb") as file:
            await file.write(data)

    async def _make_folder(self, folder: str) -> None:
        if folder:
            await self._client.makedirs(self._at(folder), exist_ok=True)
        await self._refuse_links(folder)

    async def _refuse_links(self, folder: str) -> None:
        """A server follows links by itself, so it is asked where a folder really is."""
        if await self._client.realpath(self._at(folder)) != self._at(folder):
            raise _Elsewhere

    def _at(self, path: str) -> str:
        if path and climbs(path):
            raise FileRefused("not_a_file")
        return f"{self._root}/{path}" if path else self._root or "/"

    def _call(self, work: Callable[..., Awaitable[T]], *values: object) -> T:
        async def bounded() -> T:
            try:
                return await asyncio.wait_for(_coroutine(work, *values), self._timeout_s)
            except _GONE as error:
                raise FileGone from error
            except _DENIED as error:
                raise FileRefused("unreadable") from error
            except (asyncssh.Error, OSError, ValueError, TimeoutError) as error:  # ValueError: no packet of SFTP
                raise _fault(error) from error

        return self._portal.call(bounded)


class _Elsewhere(FileRefused):
    """A folder on the way is a link."""

    def __init__(self) -> None:
        super().__init__("symlink")


async def _coroutine(work: Callable[..., Awaitable[T]], *values: object) -> T:
    return await work(*values)


async def _read(file: asyncssh.SFTPClientFile) -> bytes:
    data: bytes = await file.read(CHUNK_BYTES)
    return data


def _stamp(found: asyncssh.SFTPAttrs) -> Stamp:
    return Stamp.told(found.size or 0, int(found.mtime or 0) * _NS + int(found.mtime_ns or 0))


def _fault(error: Exception) -> SourceFault:
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return SourceFault("host_key_refused")
    if isinstance(
        error, FileNotFoundError | PermissionError | asyncssh.KeyImportError | asyncssh.KeyEncryptionError
    ):  # of ours, before anything is sent
        return SourceFault("key_unreadable")
    if isinstance(error, asyncssh.PermissionDenied):
        return SourceFault("access_denied")
    if isinstance(error, _GONE):
        return SourceFault("source_missing")
    return SourceFault("source_unavailable")
