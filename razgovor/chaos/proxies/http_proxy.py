"""A proxy that speaks HTTP/1.1 and breaks requests when told to: in front of S3 and the schema registry.

It passes heads unchanged, so that signatures hold: the client signs our address, and S3 servers take the Host they see.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from razgovor.chaos.proxies.draw import Draw
from razgovor.chaos.proxies.faults import (
    Error,
    FlippedByte,
    HalfBody,
    HalfUpload,
    Hang,
    HttpFault,
    HttpRule,
    ListLate,
    Reset,
    Slow,
    Twice,
)
from razgovor.chaos.proxies.http_messages import Head, dechunked, read_head, request_body, response_body, whole
from razgovor.chaos.proxies.listener import Listener, reset
from razgovor.chaos.proxies.listings import YoungKeys, is_listing

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_DOCUMENT: Final = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>told to</Message></Error>'


class _Broken(OSError):
    """The client's connection ends here."""


@dataclass(slots=True)
class _Exchange:
    """One request and its way to the server."""

    head: Head
    client: asyncio.StreamReader
    answer_to: asyncio.StreamWriter
    server: asyncio.StreamReader
    ask: asyncio.StreamWriter

    @property
    def method(self) -> str:
        return self.head.first[0]

    @property
    def target(self) -> str:
        return self.head.first[1]

    def body(self) -> AsyncIterator[bytes]:
        return request_body(self.client, self.head)

    async def forward(self, body: bytes | None = None) -> Head:
        """Pass the request on; the head of the server's answer."""
        self.ask.write(self.head.without("expect"))
        if body is not None:
            self.ask.write(body)
        else:
            async for piece in self.body():
                self.ask.write(piece)
                await self.ask.drain()
        return await self.answer()

    async def answer(self) -> Head:
        answer = await read_head(self.server)
        if answer is None:
            raise _Broken
        return answer

    def answer_body(self, answer: Head) -> AsyncIterator[bytes]:
        return response_body(self.server, answer, self.method)

    async def swallow(self, *, with_effect: bool) -> None:
        """Take the whole request; let the server carry it out, or not."""
        if with_effect:
            await whole(self.answer_body(await self.forward()))
        else:
            await whole(self.body())

    async def pass_back(self, answer: Head) -> None:
        self.answer_to.write(answer.raw)
        async for piece in self.answer_body(answer):
            self.answer_to.write(piece)
            await self.answer_to.drain()

    def say(self, head: bytes, body: bytes) -> None:
        length = b"Content-Length: %d\r\n\r\n" % len(body)
        self.answer_to.write(head + length + (b"" if self.method == "HEAD" else body))


class HttpProxy(Listener):
    """Passes requests; `set` says what befalls them from now on."""

    def __init__(self, upstream: str, *, port: int = 0, seed: int = 0) -> None:
        """`upstream` is `host:port`; `seed` draws which requests are befallen."""
        super().__init__(upstream, port)
        self._seed = seed
        self._draw = Draw((), seed)
        self._young = YoungKeys(time.monotonic)
        self.befallen: Counter[str] = Counter()
        """How often each kind of fault struck; `passed` counts the others, `repeated` the second times of `twice`."""
        self._later: set[asyncio.Task[None]] = set()

    def set(self, *rules: HttpRule) -> None:
        """Let these rules take the place of the former; none: pass everything. From any thread."""
        self._draw = Draw(rules, self._seed)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See `Listener.serve`."""
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        try:
            while (head := await read_head(reader)) is not None:
                if server is not None and server[0].at_eof():
                    self.let_go(server[1])
                    server = None
                server = server or await self.connect()
                if "expect" in head.headers:
                    writer.write(_CONTINUE)
                if not await self._carry(_Exchange(head, reader, writer, *server)):
                    break
        except OSError:
            reset(writer)
        finally:
            if server is not None:
                self.let_go(server[1])

    async def _carry(self, exchange: _Exchange) -> bool:
        """One request with what befalls it; whether the connection goes on."""
        fault = self._draw.fault(exchange.method, exchange.target)
        self.befallen["passed" if fault is None else fault.kind] += 1
        match fault:
            case Error():
                await self._error(exchange, fault)
            case Hang() | Reset():
                await self._no_answer(exchange, fault)
            case HalfBody():
                await self._half_body(exchange, fault)
                return False
            case HalfUpload():
                await self._half_upload(exchange)
            case Twice():
                await self._twice(exchange, fault)
            case _:
                if isinstance(fault, Slow):
                    await asyncio.sleep(fault.delay_s)
                return await self._passed(exchange, fault)
        return True

    async def _passed(self, exchange: _Exchange, fault: HttpFault | None) -> bool:
        answer = await exchange.forward()
        if answer.first[1] == "200" and exchange.method in {"PUT", "POST"}:
            self._young.note(exchange.target)
        if isinstance(fault, ListLate) and is_listing(exchange.method, exchange.target):
            body = await whole(exchange.answer_body(answer))
            body = self._young.without(dechunked(body) if answer.is_chunked else body, fault.lag_s)
            exchange.say(b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n", body)
        elif isinstance(fault, FlippedByte):
            body = await whole(exchange.answer_body(answer))
            exchange.answer_to.write(answer.raw + body[:-1] + bytes([body[-1] ^ 1]) if body else answer.raw)
        else:
            await exchange.pass_back(answer)
        await exchange.answer_to.drain()
        return not (answer.closes or exchange.head.closes)

    async def _error(self, exchange: _Exchange, fault: Error) -> None:
        await exchange.swallow(with_effect=fault.after_effect)
        first = f"HTTP/1.1 {fault.status} Told\r\nContent-Type: application/xml\r\n".encode()
        exchange.say(first, _DOCUMENT.format(code=fault.code).encode())
        await exchange.answer_to.drain()

    async def _no_answer(self, exchange: _Exchange, fault: Hang | Reset) -> None:
        if fault.after_effect or isinstance(fault, Hang):
            await exchange.swallow(with_effect=fault.after_effect)
        if isinstance(fault, Hang):
            await exchange.client.read()  # until the client gives up
        raise _Broken

    async def _half_body(self, exchange: _Exchange, fault: HalfBody) -> None:
        answer = await exchange.forward()
        body = await whole(exchange.answer_body(answer))
        exchange.answer_to.write(answer.raw + body[: len(body) // 2])
        await exchange.answer_to.drain()
        if fault.end == "hang":
            await exchange.client.read()
        if fault.end == "reset":
            raise _Broken

    async def _half_upload(self, exchange: _Exchange) -> None:
        body = await whole(exchange.body())
        exchange.ask.write(exchange.head.without("expect") + body[: len(body) // 2])
        await exchange.ask.drain()
        reset(exchange.ask)
        raise _Broken

    async def _twice(self, exchange: _Exchange, fault: Twice) -> None:
        body = await whole(exchange.body())
        await exchange.pass_back(await exchange.forward(body))
        await exchange.answer_to.drain()
        if fault.answered:  # before the next request is read: answers never mix
            await self._again(exchange, body, fault)
            return
        again = asyncio.create_task(self._again(exchange, body, fault))
        self._later.add(again)
        again.add_done_callback(self._later.discard)

    async def _again(self, exchange: _Exchange, body: bytes, fault: Twice) -> None:
        await asyncio.sleep(fault.lag_s)
        server, ask = await self.connect()
        repeated = _Exchange(exchange.head, exchange.client, exchange.answer_to, server, ask)
        try:
            answer = await repeated.forward(body)
            if fault.answered:
                await repeated.pass_back(answer)
                await repeated.answer_to.drain()
            else:
                await whole(repeated.answer_body(answer))
            self.befallen["repeated"] += 1
        finally:
            self.let_go(ask)
