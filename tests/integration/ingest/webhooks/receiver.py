"""A client's own server: HTTPS on loopback, keeps what it is sent, answers what it is told, verifies as a stranger does."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook

from razgovor.peers.certificates import Certificates


@dataclass(frozen=True)
class Told:
    """One message."""

    webhook_id: str
    headers: dict[str, str]
    body: bytes

    def verified(self, secret: str) -> dict[str, Any]:
        """The message, if the library of Standard Webhooks takes its signature."""
        message: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return message

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.body)["data"]
        return data


class Receiver:
    """`answer` decides what a message gets: a status and headers; `told` is what came, in order."""

    def __init__(self, url: str, port: int) -> None:
        self.url = url
        self.port = port
        self.told: list[Told] = []
        self.answer: Callable[[Told], tuple[int, dict[str, str]]] = lambda _told: (204, {})
        self._lock = threading.Lock()

    def take(self, told: Told) -> tuple[int, dict[str, str]]:
        with self._lock:
            self.told.append(told)
        return self.answer(told)


@contextmanager
def receiving(certificates: Certificates) -> Iterator[Receiver]:
    """A receiver, for as long as the context lasts."""
    receiver: Receiver | None = None

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            assert receiver is not None
            status, further = receiver.take(Told(headers["webhook-id"], headers, body))
            self.send_response(status)
            for name, value in {"Content-Length": "0", **further}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server.certificate, certificates.server.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    port = server.server_address[1]
    receiver = Receiver(f"https://localhost:{port}/hook", port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def allowing(receiver: Receiver, certificates: Certificates) -> dict[str, str]:
    """The settings of an ingest that may reach it."""
    return {
        "INGEST_OUTBOUND_PORTS": json.dumps([receiver.port]),
        "INGEST_OUTBOUND_NETWORKS": json.dumps(["127.0.0.0/8", "::1/128"]),
        "INGEST_OUTBOUND_CA_FILE": str(certificates.authority),
        "INGEST_WEBHOOK_POLL_S": "0.1",
    }
