"""`GET /metrics`, on an address of its own. Started and stopped by `pipeline.service.run`.

There is no key and no TLS: it listens on loopback unless told otherwise, and what it shows names nobody.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import make_wsgi_app

from pipeline.errors import Fatal
from pipeline.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

PATH: Final = "/metrics"
_CLIENT_TIMEOUT_S: Final = 10
_STOP_TIMEOUT_S: Final = 2.0


class _Handler(WSGIRequestHandler):
    timeout = _CLIENT_TIMEOUT_S  # who connects and says nothing is hung up on

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the library's
        """Log nothing: a scrape every few seconds is no news."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        """Listen, without the library's question to the DNS for our name."""
        TCPServer.server_bind(self)
        host, port = self.socket.getsockname()[:2]
        self.server_name, self.server_port = str(host), int(port)
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is no news either."""


class _ServerV6(_Server):
    address_family = socket.AF_INET6


@contextmanager
def served(metrics: Metrics, host: str, port: int) -> Iterator[str]:
    """Serve metrics as long as the context lasts.

    Args:
        metrics: What is shown.
        host: The address to listen on.
        port: 0: any free one.

    Returns:
        The URL.

    Raises:
        Fatal: Nothing can listen there.
    """
    exposition = make_wsgi_app(metrics.registry)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [f"see {PATH}\n".encode()]
        answer: Iterable[bytes] = exposition(environ, start_response)
        return answer

    try:
        server = (_ServerV6 if ":" in host else _Server)((host, port), _Handler)
    except OSError as error:
        raise Fatal(f"cannot serve metrics on {host}:{port}: {error.strerror}") from error
    server.set_app(app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="metrics", daemon=True)
    thread.start()
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{server.server_port}{PATH}"
    finally:
        server.shutdown()
        thread.join(_STOP_TIMEOUT_S)
        server.server_close()
