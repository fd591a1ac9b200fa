"""Certificates for test servers: an authority of our own, a server's for loopback, clients'. PEM files in a folder.

For tests of TLS; they can be made to have run out.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from razgovor.embedded.postgres_place import make_folder

DAY: Final = timedelta(days=1)
VALID: Final = 30 * DAY


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its key, two PEM files."""

    certificate: Path
    key: Path


class Certificates:
    """An authority and a server's certificate for 127.0.0.1 and localhost.

    Args:
        folder: Made if absent, 0700.
        expires_in: When the server's certificate runs out; negative: it has.
    """

    def __init__(self, folder: Path, *, expires_in: timedelta = VALID) -> None:
        self._folder = folder
        make_folder(folder, 0o700)
        self._authority_key = ec.generate_private_key(ec.SECP256R1())
        self._authority = _build("razgovor test authority", self._authority_key, None, None, VALID, authority=True)
        self.authority = folder / "authority.pem"
        _write(self.authority, self._authority.public_bytes(serialization.Encoding.PEM))
        self.server = self.renew(expires_in=expires_in)

    @property
    def server_bundle(self) -> Path:
        """The server's key and certificate in one file, as Kafka wants them."""
        return self._folder / "server-bundle.pem"

    def renew(self, *, expires_in: timedelta = VALID) -> KeyPair:
        """Another certificate for the server, in the same files."""
        self.server = self._issue("server", "localhost", expires_in)
        _write(self.server_bundle, self.server.key.read_bytes() + self.server.certificate.read_bytes())
        return self.server

    def client(self, name: str, *, expires_in: timedelta = VALID) -> KeyPair:
        """A certificate of a client; Kafka calls it `User:CN=name`."""
        return self._issue(f"client-{name}", name, expires_in)

    def _issue(self, file_name: str, name: str, expires_in: timedelta) -> KeyPair:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _build(name, key, self._authority, self._authority_key, expires_in, authority=False)
        pair = KeyPair(self._folder / f"{file_name}.pem", self._folder / f"{file_name}-key.pem")
        _write(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))
        _write(
            pair.key,
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )
        return pair


def _build(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey | None,
    expires_in: timedelta,
    *,
    authority: bool,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today + min(expires_in, timedelta()) - DAY)
        .not_valid_after(today + expires_in)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    return builder.sign(issuer_key or key, hashes.SHA256())


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
