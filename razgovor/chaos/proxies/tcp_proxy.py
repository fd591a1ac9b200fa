"""A proxy that passes bytes, and breaks connections when told to: in front of PostgreSQL and Kafka."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Final

from razgovor.chaos.proxies.faults import Cut, CutAt, Delay, Direction, Stall, TcpFault
from razgovor.chaos.proxies.listener import Listener, reset

_READ_BYTES: Final = 65_536


class TcpProxy(Listener):
    """Passes bytes both ways; `set` says what breaks from now on.

    A server that tells clients its address (Kafka) must be told ours.
    """

    def __init__(self, upstream: str, *, port: int = 0, seed: int = 0) -> None:
        """`upstream` is `host:port`; `seed` draws the jitter."""
        super().__init__(upstream, port)
        self._random = random.Random(seed)  # noqa: S311  faults, no secrets
        self._faults: tuple[TcpFault, ...] = ()
        self._changed = asyncio.Event()
        self._patterns: Counter[str] = Counter()
        self.befallen: Counter[str] = Counter()
        """How often each kind of fault struck."""

    def set(self, *faults: TcpFault) -> None:
        """Let these faults take the place of the former; none: pass everything. From any thread."""
        self._patterns = Counter()
        self._faults = faults
        self._loop.call_soon_threadsafe(self._changed.set)
        if self._cut is not None:
            self.befallen["cut"] += 1
            self.reset_all()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See `Listener.serve`."""
        if self._cut is not None:
            reset(writer)
            return
        try:
            server_reader, server_writer = await self.connect()
        except OSError:
            reset(writer)
            return
        pumps = (
            asyncio.create_task(self._pump(reader, server_writer, writer, "to_server")),
            asyncio.create_task(self._pump(server_reader, writer, server_writer, "to_client")),
        )
        try:
            await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            for pump in pumps:
                pump.cancel()
            self.let_go(server_writer)

    @property
    def _cut(self) -> Cut | None:
        return next((fault for fault in self._faults if isinstance(fault, Cut)), None)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, back: asyncio.StreamWriter, way: Direction
    ) -> None:
        seen = b""
        try:
            while data := await source.read(_READ_BYTES):
                await self._held(way)
                cut = self._cut_at(seen, data, way)
                if cut is None or cut.forwarded:
                    sink.write(data)
                    await sink.drain()
                if cut is not None:
                    await asyncio.sleep(0)
                    reset(back)
                    sink.close()  # in order, so that what was forwarded arrives
                    return
                seen = (seen + data)[-1024:]
            if sink.can_write_eof():
                sink.write_eof()
        except OSError:
            reset(sink)
            reset(back)

    async def _held(self, way: Direction) -> None:
        for delay in [fault for fault in self._faults if isinstance(fault, Delay)]:
            self.befallen["delay"] += 1
            await asyncio.sleep(delay.delay_s + self._random.random() * delay.jitter_s)
        if self._stalled(way):
            self.befallen["stall"] += 1
        while self._stalled(way):
            self._changed.clear()
            await self._changed.wait()

    def _stalled(self, way: Direction) -> bool:
        return any(isinstance(fault, Stall) and fault.direction in {None, way} for fault in self._faults)

    def _cut_at(self, seen: bytes, data: bytes, way: Direction) -> CutAt | None:
        for fault in self._faults:
            if not isinstance(fault, CutAt) or fault.direction != way:
                continue
            pattern = fault.pattern.encode("latin-1")
            # The pattern may lie over two reads; what was seen whole before does not count again.
            tail = seen[1 - len(pattern) :] if len(pattern) > 1 else b""
            if pattern not in tail + data:
                continue
            self._patterns[fault.pattern] += 1
            number = self._patterns[fault.pattern] - fault.skip
            if number >= 1 and (fault.times is None or number <= fault.times):
                self.befallen["cut_at"] += 1
                return fault
        return None
