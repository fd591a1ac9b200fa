"""A connection to an address that was looked at, within a deadline. Plugged into httpcore by `sending`.

The name is resolved here and nowhere else: what is connected to is the number that was judged, so a name that answers
otherwise the next moment changes nothing. httpcore then lets TLS prove the name.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Any

import httpcore

from pipeline.outbound.destinations import Address, Allowed
from pipeline.outbound.errors import Unreachable, UrlNotAllowed

Resolve = Callable[[str, int], Sequence[Address]]


def resolve(host: str, port: int) -> list[Address]:
    """The addresses of a name, or of a number in any notation that the system knows.

    Raises:
        Unreachable: There are none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label that IDNA refuses
        raise Unreachable("name") from error
    # A zone (fe80::1%eth0) is only on addresses that are never public.
    return list(dict.fromkeys(ip_address(str(address[0]).partition("%")[0]) for *_, address in found))


def literal(host: str) -> Address | None:
    """The number that a host is, in whatever notation `resolve` would take for one; None: it is a name. Asks nobody."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return None
    return ip_address(str(found[0][4][0]).partition("%")[0])


class Deadline:
    """A moment until which everything has to be over."""

    def __init__(self, within_s: float, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._ends_s = now_s() + within_s

    def left_s(self, wanted_s: float | None = None) -> float:
        """How long may still be waited, at most so long.

        Raises:
            Unreachable: No longer.
        """
        left_s = self._ends_s - self._now_s()
        if left_s <= 0:
            raise Unreachable("timeout")
        return left_s if wanted_s is None else min(wanted_s, left_s)


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to what is allowed.

    Args:
        allowed: Where to.
        deadline: Until when all is read and written.
        resolve: Tells a name's addresses.
        dial: Connects to a number.
    """

    def __init__(self, allowed: Allowed, deadline: Deadline, resolve: Resolve, dial: httpcore.NetworkBackend) -> None:
        self._allowed = allowed
        self._deadline = deadline
        self._resolve = resolve
        self._dial = dial

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that is allowed and answers.

        Raises:
            UrlNotAllowed: `address`: none is allowed.
            Unreachable: None answers.
        """
        found = [address for address in self._resolve(host, port) if self._allowed.permits(address)]
        if not found:
            raise UrlNotAllowed("address")
        for address in found:
            wait_s = self._deadline.left_s(timeout)
            try:
                stream = self._dial.connect_tcp(str(address), port, wait_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
            return _BoundStream(stream, self._deadline)
        raise Unreachable("connect")


class _BoundStream(httpcore.NetworkStream):
    """A stream that gives up at the deadline, however steadily single bytes come."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left_s(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left_s(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left_s(timeout))
        return _BoundStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
