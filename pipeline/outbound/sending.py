"""One request to an address that somebody named, over a connection of its own. From any thread; blocks."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpcore

from pipeline.errors import Fatal
from pipeline.outbound.connecting import Deadline, GuardedBackend, Resolve, resolve
from pipeline.outbound.destinations import Allowed, Destination, destination
from pipeline.outbound.errors import AnswerTooLarge, Unreachable

_USER_AGENT: Final = "razgovor"
_USUAL: Final = frozenset({("http", 80), ("https", 443)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one request may take.

    Attributes:
        max_bytes: Of the answer's body.
        total_s: From the connection to the last byte. The resolver's own patience comes on top.
        connect_s: Until a connection stands, each for TCP and TLS.
        idle_s: Between two pieces of the answer.
    """

    max_bytes: int
    total_s: float
    connect_s: float = 5.0
    idle_s: float = 15.0


class Answer:
    """What came back; any status, redirects too.

    Attributes:
        status: HTTP's.
        headers: Names in small letters.
    """

    def __init__(self, response: httpcore.Response, max_bytes: int) -> None:
        self.status: int = response.status
        self.headers: Mapping[str, str] = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
        }
        self._response = response
        self._max_bytes = max_bytes

    @property
    def declared_bytes(self) -> int | None:
        """How long the body says it is; None: it does not."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() else None

    def chunks(self) -> Iterator[bytes]:
        """The body, once, as it comes.

        Raises:
            AnswerTooLarge: It is, or it says that it is going to be.
            Unreachable: It breaks off.
        """
        if (self.declared_bytes or 0) > self._max_bytes:
            raise AnswerTooLarge(self._max_bytes)
        received = 0
        with _named_failures():
            for chunk in self._response.iter_stream():
                received += len(chunk)
                if received > self._max_bytes:
                    raise AnswerTooLarge(self._max_bytes)
                yield chunk

    def read(self) -> bytes:
        """The body whole; see `chunks`."""
        return b"".join(self.chunks())


class Outbound:
    """Sends requests to where they are allowed.

    Args:
        allowed: Where that is.
        ca_file: PEM of authorities that servers are proved by besides the system's.
        resolve: Tells a name's addresses.
        dial: Connects to a number.
        now_s: The clock of deadlines.

    Raises:
        Fatal: The authorities cannot be read.
    """

    def __init__(
        self,
        allowed: Allowed,
        *,
        ca_file: Path | None = None,
        resolve: Resolve = resolve,
        dial: httpcore.NetworkBackend | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.allowed = allowed
        self._resolve = resolve
        self._dial = dial or httpcore.SyncBackend()
        self._now_s = now_s
        self._tls = ssl.create_default_context()
        if ca_file is not None:
            try:
                self._tls.load_verify_locations(ca_file)
            except (OSError, ssl.SSLError) as error:
                raise Fatal("the file of outbound authorities cannot be read") from error

    @contextmanager
    def send(
        self, method: str, url: str, bounds: Bounds, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Iterator[Answer]:
        """Send one request; its answer lasts as long as the context.

        Raises:
            UrlNotAllowed: Nothing was sent.
            Unreachable: There is no answer.
        """
        to = destination(url, self.allowed)
        named = httpcore.URL(scheme=to.scheme, host=to.host, port=to.port, target=to.target)
        deadline = Deadline(bounds.total_s, self._now_s)
        backend = GuardedBackend(self.allowed, deadline, self._resolve, self._dial)
        waits_s = {"connect": bounds.connect_s, "read": bounds.idle_s, "write": bounds.idle_s}
        with httpcore.HTTPConnection(named.origin, self._tls, network_backend=backend) as connection:
            request = httpcore.Request(
                method,
                named,
                headers=_headers(to, body, headers or {}),
                content=body,
                extensions={"timeout": waits_s},
            )
            with _named_failures():
                response = connection.handle_request(request)
            try:
                yield Answer(response, bounds.max_bytes)
            finally:
                response.close()


def _headers(to: Destination, body: bytes, further: Mapping[str, str]) -> list[tuple[str, str]]:
    host = f"[{to.host}]" if ":" in to.host else to.host
    ours = {
        "Host": host if (to.scheme, to.port) in _USUAL else f"{host}:{to.port}",
        "User-Agent": _USER_AGENT,
        "Accept-Encoding": "identity",
        "Connection": "close",
        "Content-Length": str(len(body)),
    }
    return list({**ours, **further}.items())


@contextmanager
def _named_failures() -> Iterator[None]:
    """Their errors become ours."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise Unreachable("timeout") from error
    except httpcore.ConnectError as error:  # TCP is done by the backend, so this is TLS
        raise Unreachable("tls") from error
    except httpcore.NetworkError as error:
        raise Unreachable("connect") from error
    except httpcore.ProtocolError as error:
        raise Unreachable("protocol") from error
