"""Connections that bring no request: how long they are kept. The protocol itself, over sockets, with little patience."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from pipeline.testing.waiting import eventually
from services.ingest.web.context import SECURITY_HEADERS
from services.ingest.web.protocol import ProblemProtocol

PATIENCE_S = 0.5
HEAD = b"POST /anything HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"


class Hasty(ProblemProtocol):
    head_timeout_s = PATIENCE_S
    new_id = staticmethod(lambda: "an-id")


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuses /refused at once, else reads the whole body; says how long that is."""
    size = 0
    while scope["path"] != "/refused":
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    body = str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http=Hasty, ws="none", lifespan="off", access_log=False, log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        eventually(lambda: server.started)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(10)


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        yield connection


def dripped(connection: socket.socket, data: Callable[[], bytes]) -> bytes:
    """Send little by little until the other side hangs up; what it said."""
    connection.settimeout(0.05)
    said = b""
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        try:
            connection.sendall(data())
            found = connection.recv(65_536)
        except TimeoutError:
            continue
        except OSError:  # it hung up while we spoke
            return said
        if not found:
            return said
        said += found
    raise AssertionError("it never hangs up")


def test_who_says_nothing_is_hung_up_on(port: int) -> None:
    with connected(port) as connection:
        assert connection.recv(100) == b""


def test_a_head_that_drips_is_given_up_however_often_it_drips(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        answer = dripped(connection, lambda: b"x")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["code"] == "request_timeout"
    for name, value in SECURITY_HEADERS.items():
        assert f"{name}: {value}".encode() in head


def test_what_drips_on_after_the_answer_is_given_up(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(HEAD.replace(b"/anything", b"/refused"))
        assert dripped(connection, lambda: b"x").startswith(b"HTTP/1.1 200 ")


def test_a_body_may_take_its_time_and_the_next_request_too(port: int) -> None:
    with connected(port) as connection:
        for _ in range(2):
            connection.sendall(HEAD.replace(b"1000000", b"10"))
            for _ in range(10):  # longer than a head may take
                threading.Event().wait(PATIENCE_S / 5)
                connection.sendall(b"x")
            answer = b""
            while not answer.endswith(b"\r\n\r\n10"):
                answer += connection.recv(1000)
            threading.Event().wait(PATIENCE_S / 5)
