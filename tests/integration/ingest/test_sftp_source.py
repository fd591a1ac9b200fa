"""An SFTP source against OpenSSH's sshd: who is spoken to, who is let in, what becomes of a server that is gone; and a whole watch."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Self

import asyncssh
import pytest
from anyio.from_thread import start_blocking_portal

import services.ingest.adapters.sftp_source as sftp
from pipeline.errors import RazgovorError
from razgovor.peers.addresses import SftpPeer
from services.ingest.adapters.sftp_source import SftpPlace, SftpSource
from services.ingest.watching.builtin import BUILTIN
from services.ingest.watching.ports import SourceFault
from services.ingest.watching.watch import Watch
from tests.contract.test_watched_source import sftp_place
from tests.unit.ingest.rig import wav
from tests.unit.ingest.watching.world import OWNER, World

NAME = "in-101-79160000000-20260131-140512-1769857512.42.wav"


@pytest.fixture
def folder(sftp_peer: SftpPeer, tmp_path: Path) -> Iterator[Path]:
    root = Path(sftp_peer.files) / tmp_path.name
    root.mkdir()
    yield root
    shutil.rmtree(root)


@pytest.fixture
def place(sftp_peer: SftpPeer, folder: Path, tmp_path: Path) -> SftpPlace:
    return sftp_place(sftp_peer, str(folder), tmp_path / "known_hosts")


def fault(place: SftpPlace) -> str:
    with pytest.raises(SourceFault) as caught, SftpSource(place).session():
        pass
    return caught.value.reason


@pytest.mark.peers
def test_a_watch_over_sftp_takes_each_file_once_and_changes_nothing(place: SftpPlace, folder: Path) -> None:
    (folder / NAME).write_bytes(wav())
    (folder / "text.wav").write_bytes(b"just text" * 1000)
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    world = World(watch=Watch(owner=OWNER, patterns=BUILTIN["asterisk"], take_unmatched=True))
    world.source = SftpSource(place)  # type: ignore[assignment]  # in place of the fake
    world.watcher = world.made()
    world.look(4)
    (job,) = world.jobs()
    assert (job.call_id, job.audio.size_bytes) == ("1769857512.42", len(wav()))
    assert world.store.read(job.audio.key) == wav()
    assert world.reasons() == {"text.wav": "unsupported_media"}
    assert {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()} == before


@pytest.mark.peers
def test_a_server_with_another_host_key_is_not_spoken_to(place: SftpPlace, tmp_path: Path) -> None:
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True, stdin=subprocess.DEVNULL)  # noqa: S607
    key = " ".join(other.with_suffix(".pub").read_text().split()[:2])
    place.known_hosts.write_text(f"[{place.host}]:{place.port} {key}\n")
    assert fault(place) == "host_key_refused"
    place.known_hosts.write_text("")
    assert fault(place) == "host_key_refused"
    place.known_hosts.unlink()
    assert fault(place) == "key_unreadable"


@pytest.mark.peers
def test_who_has_no_key_or_another_one_is_not_let_in(place: SftpPlace, tmp_path: Path) -> None:
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True, stdin=subprocess.DEVNULL)  # noqa: S607
    assert fault(replace(place, private_key=other)) == "access_denied"
    assert fault(replace(place, private_key=None, password="wrong")) == "access_denied"
    assert fault(replace(place, private_key=tmp_path / "nothing")) == "key_unreadable"
    other.write_text("no key at all")
    assert fault(replace(place, private_key=other)) == "key_unreadable"


@pytest.mark.peers
def test_a_key_may_have_a_passphrase(place: SftpPlace, folder: Path, tmp_path: Path) -> None:
    (folder / "a.wav").write_bytes(wav())
    locked = tmp_path / "locked"
    locked.write_bytes(place.private_key.read_bytes() if place.private_key else b"")
    locked.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", locked], check=True)  # noqa: S607
    with SftpSource(replace(place, private_key=locked, passphrase="secret")).session() as session:
        assert [entry.name for entry in session.list("")] == ["a.wav"]
    assert fault(replace(place, private_key=locked, passphrase="wrong")) == "key_unreadable"
    assert fault(replace(place, private_key=locked)) == "key_unreadable"


class _Doorkeeper(asyncssh.SSHServer):
    """Lets in who knows the password. The peers' sshd takes keys only."""

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002  asyncssh says it
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("pbx", "secret")


def test_a_password_lets_in_too_and_a_wrong_one_does_not(tmp_path: Path) -> None:
    root = tmp_path / "monitor"
    root.mkdir()
    (root / "a.wav").write_bytes(wav())
    key = asyncssh.generate_private_key("ssh-ed25519")

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=_Doorkeeper, server_host_keys=[key], sftp_factory=asyncssh.SFTPServer
        )

    async def close(acceptor: asyncssh.SSHAcceptor) -> None:
        acceptor.close()
        await acceptor.wait_closed()

    with start_blocking_portal() as portal:
        acceptor = portal.call(listen)
        port = acceptor.get_port()
        known_hosts = tmp_path / "known_hosts"
        known_hosts.write_text(f"[127.0.0.1]:{port} {key.export_public_key().decode()}")
        place = SftpPlace(
            host="127.0.0.1", port=port, user="pbx", folder=str(root), known_hosts=known_hosts, password="secret"
        )
        with SftpSource(place).session() as session:
            assert b"".join(session.chunks("a.wav")) == wav()
        assert fault(replace(place, password="wrong")) == "access_denied"
        portal.call(close, acceptor)


@pytest.mark.peers
def test_a_folder_that_is_not_there_is_told(place: SftpPlace) -> None:
    assert fault(replace(place, folder=f"{place.folder}/nowhere")) == "source_missing"


@pytest.mark.peers
def test_a_folder_that_never_ends_is_given_up(place: SftpPlace, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(11):
        (folder / f"{number}.wav").touch()
    monkeypatch.setattr(sftp, "MAX_ENTRIES", 10)
    with pytest.raises(SourceFault) as caught, SftpSource(place).session() as session:
        session.list("")
    assert caught.value.reason == "folder_too_large"


def test_a_server_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    known_hosts = tmp_path / "known_hosts"
    known_hosts.touch()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        place = SftpPlace(
            host="127.0.0.1", port=port, user="u", folder="/", known_hosts=known_hosts, password="p", timeout_s=0.3
        )
        assert fault(place) == "source_unavailable"
    assert fault(place) == "source_unavailable"  # now nobody listens


@pytest.mark.peers
def test_a_server_that_goes_away_in_the_middle_is_told(place: SftpPlace, folder: Path) -> None:
    (folder / "a.wav").write_bytes(bytes(8 * 2**20))
    with _Cable(place.host, place.port) as cable:
        known = place.known_hosts.read_text().replace(f":{place.port} ", f":{cable.port} ")
        place.known_hosts.write_text(known)
        with SftpSource(replace(place, port=cable.port, timeout_s=2.0)).session() as session:
            chunks = session.chunks("a.wav")
            assert next(chunks)
            cable.cut()
            with pytest.raises(RazgovorError) as caught:
                list(chunks)
    assert isinstance(caught.value, SourceFault)


class _Cable:
    """Between a client and a server, until it is cut."""

    def __init__(self, host: str, port: int) -> None:
        self._far = (host, port)
        self._ends: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def _accept(self) -> None:
        near, _ = self._server.accept()
        far = socket.create_connection(self._far)
        self._ends += [near, far]
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65_536):
                other.sendall(data)
        except OSError:
            pass

    def cut(self) -> None:
        for end in self._ends:
            end.shutdown(socket.SHUT_RDWR)

    def __exit__(self, *_: object) -> None:
        for end in (*self._ends, self._server):
            end.close()
