"""uvicorn around the application: where it listens, how it speaks. Called by `__main__`."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from pipeline.errors import Fatal
from services.ingest.web.protocol import ProblemProtocol

_BACKLOG: Final = 2048


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
    protocol = type("ProblemProtocol", (ProblemProtocol,), {"new_id": staticmethod(new_id)})
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
