"""A network without a network: who is connected to what, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Any

import httpcore

from pipeline.outbound.destinations import Address


class Names:
    """Tells names' addresses; each question takes the next answer, the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[Address]:
        self.asked.append(f"{host}:{port}")
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [ip_address(text) for text in answer]


class Wires(httpcore.NetworkBackend):
    """Connects to whoever is not dead, and plays what was recorded. `names` are those of a public server."""

    def __init__(self, *pieces: bytes, dead: Iterable[str] = (), on_read: Callable[[], None] = lambda: None) -> None:
        self._pieces = pieces
        self._dead = frozenset(dead)
        self._on_read = on_read
        self.names = Names(["93.184.216.34"])
        self.dialed: list[str] = []
        self.written = b""
        self.proved: list[str | None] = []
        self.closed = 0

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  the signature is httpcore's
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        self.dialed.append(f"{host} {port}")
        if host in self._dead:
            raise httpcore.ConnectError
        return _Stream(self, list(self._pieces), self._on_read)


class _Stream(httpcore.NetworkStream):
    def __init__(self, wires: Wires, pieces: list[bytes], on_read: Callable[[], None]) -> None:
        self._wires = wires
        self._pieces = pieces
        self._on_read = on_read

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        self._on_read()
        return self._pieces.pop(0) if self._pieces else b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._wires.written += buffer

    def close(self) -> None:
        self._wires.closed += 1

    def start_tls(
        self,
        ssl_context: object,  # noqa: ARG002
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        self._wires.proved.append(server_hostname)
        return self

    def get_extra_info(self, info: str) -> object:  # noqa: ARG002
        return None
