from __future__ import annotations

import socket
import ssl
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from razgovor.peers.certificates import Certificates


def shake_hands(certificates: Certificates, authority: Path) -> None:
    """A TLS handshake between two ends of one socket pair."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificates.server.certificate, certificates.server.key)
    client = ssl.create_default_context(cafile=str(authority))
    near, far = socket.socketpair()

    def answer() -> None:
        try:
            server.wrap_socket(far, server_side=True).close()
        except (ssl.SSLError, OSError):
            far.close()

    other_end = threading.Thread(target=answer)
    other_end.start()
    try:
        client.wrap_socket(near, server_hostname="127.0.0.1").close()
    finally:
        near.close()
        other_end.join()


def test_who_knows_the_authority_trusts_the_server(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "one")
    shake_hands(certificates, certificates.authority)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(certificates, Certificates(tmp_path / "another").authority)


def test_one_that_ran_out_is_refused_until_it_is_renewed(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path, expires_in=timedelta(hours=-1))
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        shake_hands(certificates, certificates.authority)
    certificates.renew()
    shake_hands(certificates, certificates.authority)
