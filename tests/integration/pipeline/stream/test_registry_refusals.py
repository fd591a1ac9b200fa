"""A schema registry that refuses us: named soon, never waited for."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import closing
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.errors import Unavailable
from pipeline.stream.connection import RegistryConnection
from pipeline.stream.ports import Message
from pipeline.stream.registry import ConfluentRegistry
from pipeline.stream.wire import Wire
from pipeline.testing import samples
from razgovor.peers.certificates import DAY, Certificates
from tests.integration.http_server import Silent, serving
from tests.integration.pipeline.stream.attempts import refused

NAME, PASSWORD = "exporter", "pass-word"
RIGHT = "Basic " + base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()


class _Guarded(Silent, BaseHTTPRequestHandler):
    """Knows one user, who may do nothing."""

    def do_GET(self) -> None:
        self._refuse()

    def do_POST(self) -> None:
        self._refuse()

    def _refuse(self) -> None:
        known = self.headers["Authorization"] == RIGHT
        body = b'{"error_code": 0, "message": "no"}'
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(HTTPStatus.FORBIDDEN if known else HTTPStatus.UNAUTHORIZED)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def port(certificates: Certificates) -> Iterator[int]:
    with serving(_Guarded, certificates) as port:
        yield port


def by_id(wire: Wire) -> object:
    unknown = b"\x00\x00\x00\x00\x07" + b"body"
    return wire.decode(Message("audio.uploaded", 0, 0, b"job-1", unknown, (), samples.ACCEPTED_AT))


QUESTIONS: dict[str, Callable[[Wire], object]] = {
    "at start": lambda wire: wire.verify(),
    "before writing": lambda wire: wire.encode(samples.audio_uploaded()),
    "while reading": by_id,
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize(
    ("username", "password", "status"),
    [(None, None, 401), (NAME, "wrong", 401), ("nobody", PASSWORD, 401), (NAME, PASSWORD, 403)],
)
def test_who_is_unknown_or_may_not_is_told_so(
    certificates: Certificates,
    port: int,
    username: str | None,
    password: str | None,
    status: int,
    question: Callable[[Wire], object],
) -> None:
    secret = None if password is None else SecretStr(password)
    connection = RegistryConnection(
        url=f"https://localhost:{port}", username=username, password=secret, ca_file=certificates.authority
    )
    with (
        closing(ConfluentRegistry(connection)) as registry,
        refused(f"^the schema registry refuses us: HTTP {status}$"),
    ):
        question(Wire(registry))


def test_who_may_not_write_registers_nothing(certificates: Certificates, port: int) -> None:
    connection = RegistryConnection(
        url=f"https://localhost:{port}", username=NAME, password=SecretStr(PASSWORD), ca_file=certificates.authority
    )
    with closing(ConfluentRegistry(connection)) as registry, refused("HTTP 403"):
        registry.register("audio.uploaded-value", "{}")


@pytest.mark.parametrize("trusted", ["the system's", "another", "too late"])
def test_a_certificate_that_is_not_to_be_trusted_is_named(
    certificates: Certificates, tmp_path: Path, trusted: str
) -> None:
    authorities = {
        "the system's": None,
        "another": Certificates(tmp_path / "other").authority,
        "too late": certificates.authority,
    }
    if trusted == "too late":
        certificates.renew(expires_in=-DAY)
    with serving(_Guarded, certificates) as port:
        connection = RegistryConnection(url=f"https://localhost:{port}", ca_file=authorities[trusted])
        with (
            closing(ConfluentRegistry(connection)) as registry,
            refused("certificate cannot be verified"),
        ):
            Wire(registry).verify()


def test_a_registry_of_another_protocol_is_waited_for(certificates: Certificates, port: int) -> None:
    with serving(_Guarded) as plain:
        for url in (f"http://localhost:{port}", f"https://localhost:{plain}"):
            connection = RegistryConnection(url=url, ca_file=certificates.authority)
            with closing(ConfluentRegistry(connection)) as registry, pytest.raises(Unavailable):
                Wire(registry).verify()
