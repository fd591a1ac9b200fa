"""Small servers for the proxies to stand before."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Objects(BaseHTTPRequestHandler):
    """Takes PUT, gives GET, lists with ?list-type=2; counts in `server.puts`."""

    protocol_version = "HTTP/1.1"
    server: ObjectsServer

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if len(body) == int(self.headers["Content-Length"]):
            self.server.puts.append(self.path)
            self.server.objects[self.path] = body
        self._say(200, b"")

    def do_GET(self) -> None:
        if "list-type=2" in self.path:
            keys = [path.removeprefix("/bucket/") for path in sorted(self.server.objects)]
            contents = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
            self._say(200, f"<R>{contents}<KeyCount>{len(keys)}</KeyCount></R>".encode())
        elif self.path in self.server.objects:
            self._say(200, self.server.objects[self.path])
        else:
            self._say(404, b"none")

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
        pass


class ObjectsServer(ThreadingHTTPServer):
    """S3 as small as it gets."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Objects)
        self.puts: list[str] = []
        self.objects: dict[str, bytes] = {}

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # the proxies reset connections on purpose


class _Echo(socketserver.BaseRequestHandler):
    server: EchoServer

    def handle(self) -> None:
        while data := self.request.recv(65_536):
            self.server.seen += data
            self.request.sendall(data)


class EchoServer(socketserver.ThreadingTCPServer):
    """Says what it is told, and remembers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Echo)
        self.seen = b""

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # see ObjectsServer


@contextmanager
def served(server: socketserver.BaseServer) -> Iterator[None]:
    """Serve while the context lasts."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
