"""A TCP listener on loopback with an event loop in a thread of its own: what both proxies stand on."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

#: Close with a reset in place of an orderly end.
_RESET_LINGER: Final = struct.pack("ii", 1, 0)
_BUFFER_BYTES: Final = 262_144


class Listener(ABC):
    """Accepts on `127.0.0.1:port` while its context lasts, and connects on to `upstream`.

    Args:
        upstream: `host:port` of the server behind.
        port: Where to listen; 0: any free port.
    """

    def __init__(self, upstream: str, port: int = 0) -> None:
        self.upstream = upstream
        self._socket = socket.create_server(("127.0.0.1", port), backlog=1024)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def port(self) -> int:
        """Where we listen."""
        port: int = self._socket.getsockname()[1]
        return port

    @property
    def address(self) -> str:
        """`host:port` to connect to."""
        return f"127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """Sockets that are open now, of both sides."""
        return len(self._open)

    def start(self) -> None:
        """Begin to accept."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Reset all connections and end."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end)
            self._thread.join()
        self._socket.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def reset_all(self) -> None:
        """Reset every connection. From any thread."""
        self._loop.call_soon_threadsafe(self._reset_all)

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one client's connection until it ends."""

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the server behind.

        Raises:
            OSError: It cannot be had.
        """
        host, _, port = self.upstream.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=_BUFFER_BYTES)
        self._open.add(writer)
        return reader, writer

    def let_go(self, writer: asyncio.StreamWriter) -> None:
        """Close a connection in order."""
        self._open.discard(writer)
        with suppress(OSError, RuntimeError):
            writer.close()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._main())
        finally:
            self._loop.close()

    async def _main(self) -> None:
        self._stopping = asyncio.Event()
        server = await asyncio.start_server(self._accept, sock=self._socket, limit=_BUFFER_BYTES)
        self._ready.set()
        await self._stopping.wait()
        server.close()
        self._reset_all()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self.serve(reader, writer)
        finally:
            self.let_go(writer)

    def _reset_all(self) -> None:
        for writer in tuple(self._open):
            reset(writer)

    def _end(self) -> None:
        if self._stopping is not None:
            self._stopping.set()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a reset."""
    connection: socket.socket | None = writer.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_LINGER)
    writer.transport.abort()
