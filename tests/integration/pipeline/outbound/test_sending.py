"""Requests of ours against a real server with TLS on loopback, and the system's own resolver."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_network
from pathlib import Path

import pytest

from pipeline.errors import Fatal
from pipeline.outbound import Allowed, Bounds, Outbound, Unreachable, UrlNotAllowed
from pipeline.outbound.connecting import resolve
from razgovor.peers.certificates import Certificates
from tests.integration.http_server import Silent, serving

BOUNDS = Bounds(max_bytes=100_000, total_s=20.0)
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


class _Echo(Silent, BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Host", self.headers["Host"])
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def port(certificates: Certificates) -> Iterator[int]:
    with serving(_Echo, certificates) as port:
        yield port


def _outbound(port: int, ca_file: Path | None, *, networks: bool = True) -> Outbound:
    return Outbound(Allowed(ports=frozenset({port}), networks=LOOPBACK if networks else ()), ca_file=ca_file)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_request_goes_over_tls_to_an_allowed_network(port: int, certificates: Certificates, host: str) -> None:
    outbound = _outbound(port, certificates.authority)
    with outbound.send("POST", f"https://{host}:{port}/hook", BOUNDS, body=b"x" * 50_000) as answer:
        assert answer.status == 200
        assert answer.headers["x-host"] == f"{host}:{port}"
        assert answer.read() == b"x" * 50_000


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_no_way_of_writing_loopback_reaches_it(port: int, certificates: Certificates, host: str) -> None:
    outbound = _outbound(port, certificates.authority, networks=False)
    with pytest.raises(UrlNotAllowed, match="address"), outbound.send("GET", f"https://{host}:{port}/", BOUNDS):
        pass


def test_a_server_that_cannot_prove_its_name_gets_nothing(port: int, certificates: Certificates) -> None:
    # The certificate is for localhost and 127.0.0.1, not for this number of the same network.
    other = Outbound(
        Allowed(ports=frozenset({port}), networks=LOOPBACK),
        ca_file=certificates.authority,
        resolve=lambda _host, port: resolve("127.0.0.1", port),
    )
    with pytest.raises(Unreachable, match="tls"), other.send("GET", f"https://files.example:{port}/", BOUNDS):
        pass


def test_a_server_of_an_authority_that_we_do_not_know_gets_nothing(port: int) -> None:
    with (
        pytest.raises(Unreachable, match="tls"),
        _outbound(port, None).send("GET", f"https://localhost:{port}/", BOUNDS),
    ):
        pass


def test_a_closed_port_and_a_name_that_is_none_are_unreachable(certificates: Certificates) -> None:
    with serving(_Echo, certificates) as port:
        pass
    outbound = _outbound(port, certificates.authority)
    with pytest.raises(Unreachable, match="connect"), outbound.send("GET", f"https://127.0.0.1:{port}/", BOUNDS):
        pass
    with pytest.raises(Unreachable, match="name"), outbound.send("GET", f"https://a.invalid:{port}/", BOUNDS):
        pass
    with pytest.raises(Unreachable, match="name"), outbound.send("GET", f"https://{'a' * 64}.org:{port}/", BOUNDS):
        pass


def test_authorities_that_cannot_be_read_end_the_process(tmp_path: Path) -> None:
    with pytest.raises(Fatal):
        Outbound(Allowed(), ca_file=tmp_path / "none.pem")
