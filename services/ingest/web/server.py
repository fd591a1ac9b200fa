"""uvicorn around the application: where it listens, and what it answers to what is no HTTP. Called by `__main__`."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipeline.errors import Fatal
from services.ingest.web.context import REQUEST_ID, SECURITY_HEADERS, USUAL_HEADERS
from services.ingest.web.problems import MEDIA_TYPE

_BACKLOG: Final = 2048


class _ProblemProtocol(H11Protocol):
    """Answers what is no HTTP (a negative Content-Length, for one) as every other error."""

    new_id: Callable[[], str]

    def send_400_response(self, msg: str) -> None:
        """Answer and hang up."""
        problem = {
            "type": "urn:razgovor:problem:bad_request",
            "title": "The request cannot be read",
            "status": 400,
            "detail": msg,
            "code": "bad_request",
            "request_id": self.new_id(),
        }
        body = json.dumps(problem).encode()
        headers = {
            **SECURITY_HEADERS,
            **USUAL_HEADERS,
            "Content-Type": MEDIA_TYPE,
            "Content-Length": str(len(body)),
            "Connection": "close",
            REQUEST_ID: problem["request_id"],
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.transport.write(f"HTTP/1.1 400 Bad Request\r\n{head}\r\n".encode("ascii") + body)
        self.transport.close()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        Fatal: There is none to be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise Fatal(f"cannot listen on {host}:{port}: {error.strerror}") from error


def address_of(listener: socket.socket) -> str:
    """Where it listens, as a URL."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def web_server(app: ASGIApp, new_id: Callable[[], str], drain_timeout_s: float) -> uvicorn.Server:
    """A server of the application.

    Args:
        app: What it serves.
        new_id: A random id.
        drain_timeout_s: How long requests under way have when it ends.
    """
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns about what we answer with a 400
    protocol = type("ProblemProtocol", (_ProblemProtocol,), {"new_id": staticmethod(new_id)})
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # who calls is told by the key, never by an address
        timeout_graceful_shutdown=max(1, int(drain_timeout_s)),
        backlog=_BACKLOG,
    )
    return uvicorn.Server(config)
