"""Who knocks: clients that upload at a steady pace, and a thousand that never finish."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Final

from bench.accept import ask, connect, wav
from bench.front_door.doors import Door

#: A slow socket says a byte every so often, so that it never rests.
DRIP_S: Final = 2.0


async def at_a_pace(door: Door, data: bytes, per_s: float, seconds: float) -> list[float]:
    """Seconds of each upload that is begun at its time, whether those before it are over or not; each on its own socket."""
    took_s: list[float] = []

    async def one() -> None:
        began_s = time.monotonic()
        reader, writer = await connect(door.url)
        await ask(reader, writer, data)
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
                reader, writer = await connect(self._door.url)
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
