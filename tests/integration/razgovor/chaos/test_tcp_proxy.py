"""The TCP fault proxy before an echo."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from pipeline.testing.waiting import eventually
from razgovor.chaos.proxies import TcpProxy
from razgovor.chaos.proxies.faults import Cut, CutAt, Delay, Stall
from tests.integration.razgovor.chaos.servers import EchoServer, served


@pytest.fixture
def echo() -> Iterator[EchoServer]:
    server = EchoServer()
    with served(server):
        yield server


@pytest.fixture
def proxy(echo: EchoServer) -> Iterator[TcpProxy]:
    with TcpProxy(f"127.0.0.1:{echo.server_address[1]}") as proxy:
        yield proxy


def connected(proxy: TcpProxy) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", proxy.port))
    connection.settimeout(5.0)
    return connection


def said(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    return connection.recv(65_536)


def test_bytes_pass_both_ways_and_so_does_the_end(proxy: TcpProxy) -> None:
    with connected(proxy) as connection:
        assert said(connection, b"hello") == b"hello"
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    assert eventually(lambda: proxy.connections == 0)


def test_a_cut_resets_old_and_new_connections_until_it_is_lifted(proxy: TcpProxy) -> None:
    with connected(proxy) as old:
        assert said(old, b"a") == b"a"
        proxy.set(Cut())
        with pytest.raises(ConnectionResetError):
            old.recv(1)
    with connected(proxy) as new, pytest.raises(ConnectionError):
        said(new, b"a")
    proxy.set()
    with connected(proxy) as healed:
        assert said(healed, b"a") == b"a"


@pytest.mark.parametrize("direction", ["to_server", "to_client", None])
def test_a_stall_holds_bytes_which_flow_afterwards(proxy: TcpProxy, direction: str | None) -> None:
    with connected(proxy) as connection:
        assert said(connection, b"a") == b"a"
        proxy.set(Stall.model_validate({"direction": direction}))
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            said(connection, b"b")
        proxy.set()
        connection.settimeout(5.0)
        assert connection.recv(1) == b"b"


def test_a_delay_keeps_the_order(proxy: TcpProxy) -> None:
    proxy.set(Delay(delay_s=0.01, jitter_s=0.01))
    with connected(proxy) as connection:
        connection.sendall(b"one")
        assert connection.recv(3) == b"one"
        connection.sendall(b"two")
        assert connection.recv(3) == b"two"
    assert proxy.befallen["delay"] >= 4


@pytest.mark.parametrize(("forwarded", "seen"), [(True, b"begin;COMMIT"), (False, b"begin;")])
def test_a_connection_is_cut_where_a_pattern_passes(
    proxy: TcpProxy, echo: EchoServer, *, forwarded: bool, seen: bytes
) -> None:
    proxy.set(CutAt(pattern="COMMIT", forwarded=forwarded))
    with connected(proxy) as connection:
        assert said(connection, b"begin;") == b"begin;"
        with pytest.raises(ConnectionResetError):
            said(connection, b"COMMIT")
    assert eventually(lambda: echo.seen == seen)
    with connected(proxy) as connection:
        assert said(connection, b"COMMIT") == b"COMMIT"  # once is enough


def test_a_pattern_may_lie_over_two_reads(proxy: TcpProxy) -> None:
    proxy.set(CutAt(pattern="COMMIT", skip=1, times=None))
    with connected(proxy) as connection:
        assert said(connection, b"COMMIT") == b"COMMIT"
        assert said(connection, b"COM") == b"COM"
        with pytest.raises(ConnectionResetError):
            said(connection, b"MIT")


def test_a_server_that_is_gone_resets(proxy: TcpProxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    proxy.upstream = f"127.0.0.1:{port}"
    with connected(proxy) as connection, pytest.raises(ConnectionError):
        said(connection, b"a")
