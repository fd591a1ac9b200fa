"""HTTP/1.1 as far as a proxy needs it: heads, and where a body ends. Bodies pass in pieces, unchanged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

_PIECE_BYTES: Final = 65_536
_BODILESS: Final = frozenset({"204", "304"})


@dataclass(frozen=True, slots=True)
class Head:
    """The first line and the headers, as they came.

    Attributes:
        raw: All bytes with the empty line.
        first: The three words of the first line.
        headers: By lower-case name; of repeated ones the last.
    """

    raw: bytes
    first: tuple[str, str, str]
    headers: dict[str, str]

    @property
    def length(self) -> int | None:
        """What Content-Length says."""
        said = self.headers.get("content-length")
        return None if said is None else int(said)

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return self.headers.get("transfer-encoding", "").lower().endswith("chunked")

    @property
    def closes(self) -> bool:
        """Whether the connection ends with this message."""
        return self.headers.get("connection", "").lower() == "close" or self.first[0] == "HTTP/1.0"

    def without(self, name: str) -> bytes:
        """The raw head less one header."""
        start = name.lower().encode() + b":"
        lines = [line for line in self.raw.split(b"\r\n") if not line.lower().startswith(start)]
        return b"\r\n".join(lines)


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next message's head; None where the connection ended before one.

    Raises:
        IncompleteReadError: It ended within one.
    """
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    lines = raw.decode("latin-1").split("\r\n")
    words = lines[0].split(" ", 2)
    pairs = (line.partition(":") for line in lines[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Head(raw, (words[0], words[1], words[2] if len(words) > 2 else ""), headers)  # noqa: PLR2004  three words


async def request_body(reader: asyncio.StreamReader, head: Head) -> AsyncIterator[bytes]:
    """A request's body in pieces, chunks as they came."""
    if head.is_chunked:
        async for piece in _chunks(reader):
            yield piece
    else:
        async for piece in _exactly(reader, head.length or 0):
            yield piece


async def response_body(reader: asyncio.StreamReader, head: Head, method: str) -> AsyncIterator[bytes]:
    """An answer's body in pieces, chunks as they came."""
    if method == "HEAD" or head.first[1] in _BODILESS:
        return
    if head.is_chunked:
        async for piece in _chunks(reader):
            yield piece
    elif head.length is not None:
        async for piece in _exactly(reader, head.length):
            yield piece
    else:
        while piece := await reader.read(_PIECE_BYTES):
            yield piece


async def whole(pieces: AsyncIterator[bytes]) -> bytes:
    """All pieces together."""
    return b"".join([piece async for piece in pieces])


async def _exactly(reader: asyncio.StreamReader, count: int) -> AsyncIterator[bytes]:
    while count:
        piece = await reader.read(min(count, _PIECE_BYTES))
        if not piece:
            raise asyncio.IncompleteReadError(b"", count)
        count -= len(piece)
        yield piece


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        yield line
        if not size:
            break
        async for piece in _exactly(reader, size + 2):
            yield piece
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        yield line
    yield line


def dechunked(body: bytes) -> bytes:
    """The bytes that a chunked body carries."""
    found, at = b"", 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";")[0], 16)
        if not size:
            return found
        found += body[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
