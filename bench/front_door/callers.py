"""Who knocks: clients that upload one recording after another, some at a steady pace, and a thousand that never finish."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from bench.accept import wav
from bench.front_door.doors import Door

ACCEPTED: Final = b"HTTP/1.1 202"
#: A slow socket says a byte every so often, so that it never rests.
DRIP_S: Final = 2.0


def request(door: Door, audio_bytes: int) -> bytes:
    """A raw upload of noise."""
    data = wav(audio_bytes)
    head = (
        "POST /v1/jobs?priority=bulk&call_id=bench HTTP/1.1\r\n"
        f"Host: {urlsplit(door.url).netloc}\r\nAuthorization: Bearer {door.key}\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


async def _connect(door: Door) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(door.url)
    return await asyncio.open_connection(address.hostname, address.port)


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> float:
    """Seconds from the first byte of a request to the last one of its answer."""
    began_s = time.monotonic()
    writer.write(data)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(ACCEPTED):
        raise SystemExit(f"not accepted: {head.splitlines()[0].decode()}")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    await reader.readexactly(int(length.split(b":")[1]))
    return time.monotonic() - began_s


async def side_by_side(door: Door, data: bytes, callers: int, more: Callable[[int], bool]) -> list[float]:
    """Seconds of every upload by so many callers, each on one connection, as long as `more` of the number done says so."""
    took_s: list[float] = []

    async def caller() -> None:
        reader, writer = await _connect(door)
        while more(len(took_s)):
            took_s.append(await _ask(reader, writer, data))
        writer.close()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(callers):
            tasks.create_task(caller())
    return took_s


async def at_a_pace(door: Door, data: bytes, per_s: float, seconds: float) -> list[float]:
    """Seconds of each upload that is begun at its time, whether those before it are over or not; each on its own socket."""
    took_s: list[float] = []

    async def one() -> None:
        began_s = time.monotonic()
        reader, writer = await _connect(door)
        await _ask(reader, writer, data)
        took_s.append(time.monotonic() - began_s)
        writer.close()

    started_s = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for number in range(int(per_s * seconds)):
            await asyncio.sleep(max(0.0, started_s + number / per_s - time.monotonic()))
            tasks.create_task(one())
    return took_s


class SlowSockets:
    """Sockets of three kinds: heads that drip, bodies that drip, and such that say nothing. Who is given up comes again.

    Attributes:
        up: Set once all have connected.
        over: To be set when they shall end.
        ends: How the server ended them, and how often.
    """

    def __init__(self, door: Door, count: int) -> None:
        self.up, self.over = asyncio.Event(), asyncio.Event()
        self.ends: Counter[str] = Counter()
        self._door = door
        self._count = count
        self._connected: set[int] = set()
        head = (
            f"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {door.key}\r\nContent-Length: 900000\r\n\r\n"
        )
        self._beginnings = (b"GET / HTTP/1.1\r\nX-Slow: ", head.encode() + wav(4200), b"")

    async def run(self) -> None:
        """Until `over`."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(self._count):
                tasks.create_task(self._keep_on(number))
                if number % 50 == 0:
                    await asyncio.sleep(0.01)

    async def _keep_on(self, number: int) -> None:
        while not self.over.is_set():
            try:
                reader, writer = await _connect(self._door)
                self._connected.add(number)
                if len(self._connected) == self._count:
                    self.up.set()
                self.ends.update(await self._drip(reader, writer, self._beginnings[number % len(self._beginnings)]))
                writer.close()
            except OSError:
                self.ends["broken"] += 1

    async def _drip(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, beginning: bytes) -> list[str]:
        """How the server ended it; nothing where it did not."""
        writer.write(beginning)
        answer = asyncio.ensure_future(reader.read(100))
        while not answer.done() and not self.over.is_set():
            await asyncio.wait([answer], timeout=DRIP_S)
            if beginning and not answer.done():
                writer.write(b"x")
        if not answer.done():
            answer.cancel()
            return []
        return [answer.result()[:12].decode("ascii", "replace") or "hung up"]
