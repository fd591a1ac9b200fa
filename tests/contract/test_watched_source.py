"""One suite over the fake source, a folder and a real SFTP server."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from razgovor.peers.addresses import SftpPeer
from services.ingest.adapters.folder_source import FolderSource
from services.ingest.adapters.memory_source import MemoryFile, MemorySource
from services.ingest.adapters.sftp_source import SftpPlace, SftpSource
from services.ingest.watching.decisions import Stamp
from services.ingest.watching.ports import CHUNK_BYTES, Entry, FileGone, FileRefused, Kind, Session, Source, SourceFault

SECOND_NS = 1_000_000_000
WRITTEN_NS = 1_769_857_512 * SECOND_NS


class Place(Protocol):
    """What lies in a source, from the other side."""

    source: Source

    def put(self, path: str, data: bytes) -> None: ...
    def link(self, path: str, target: str) -> None: ...
    def read(self, path: str) -> bytes | None: ...
    def close(self) -> None: ...


@dataclass
class Disk:
    source: Source
    root: Path

    def put(self, path: str, data: bytes) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        os.utime(file, ns=(WRITTEN_NS, WRITTEN_NS))

    def link(self, path: str, target: str) -> None:
        (self.root / path).symlink_to(target)

    def read(self, path: str) -> bytes | None:
        file = self.root / path
        return file.read_bytes() if file.exists() else None

    def close(self) -> None:
        self.root.rename(self.root.with_name("elsewhere"))


class Memory:
    def __init__(self) -> None:
        self.files = MemorySource()
        self.source: Source = self.files

    def put(self, path: str, data: bytes) -> None:
        self.files.put(path, data, WRITTEN_NS)

    def link(self, path: str, target: str) -> None:
        self.files.files[path] = MemoryFile(target.encode(), 0, Kind.LINK)
        for name in [name for name in self.files.files if name.startswith(f"{target}/")]:
            self.files.files[path + name.removeprefix(target)] = self.files.files[name]

    def read(self, path: str) -> bytes | None:
        file = self.files.files.get(path)
        return None if file is None else file.data

    def close(self) -> None:
        self.files.fault = "source_missing"


def sftp_place(peer: SftpPeer, folder: str, known_hosts: Path) -> SftpPlace:
    key = " ".join(Path(peer.host_key).read_text().split()[:2])
    known_hosts.write_text(f"[{peer.host}]:{peer.port} {key}\n")
    return SftpPlace(
        host=peer.host,
        port=peer.port,
        user=peer.user,
        folder=folder,
        known_hosts=known_hosts,
        private_key=Path(peer.private_key),
    )


@pytest.fixture(params=["memory", "folder", pytest.param("sftp", marks=pytest.mark.peers)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "memory":
        yield Memory()
        return
    if request.param == "folder":
        root = tmp_path / "source"
        root.mkdir()
        yield Disk(FolderSource(root), root)
        return
    peer: SftpPeer = request.getfixturevalue("sftp_peer")
    root = Path(peer.files) / f"watched-{uuid.uuid4().hex}" / "source"
    root.mkdir(parents=True)
    yield Disk(SftpSource(sftp_place(peer, str(root), tmp_path / "known_hosts")), root)


@pytest.fixture
def session(place: Place) -> Iterator[Session]:
    place.put("greeting.txt", b"so that the source is there")
    with place.source.session() as opened:
        yield opened


def whole(session: Session, path: str) -> bytes:
    return b"".join(session.chunks(path))


def test_a_folder_tells_what_lies_in_it(place: Place, session: Session) -> None:
    place.put("20260131/a.wav", b"sound")
    place.put("20260131/1405/b.wav", b"more sound")
    found = {entry.name: entry for entry in session.list("20260131")}
    assert found["a.wav"] == Entry("a.wav", Kind.FILE, Stamp(5, WRITTEN_NS))
    assert found["1405"].kind is Kind.FOLDER
    assert set(found) == {"a.wav", "1405"}
    assert {entry.name for entry in session.list("")} == {"20260131", "greeting.txt"}


def test_a_folder_that_is_not_there_holds_nothing(session: Session) -> None:
    assert session.list("20260131") == []
    assert session.list("20260131/1405") == []
    assert session.list("greeting.txt/below") == []


def test_a_file_is_read_whole_in_pieces(place: Place, session: Session) -> None:
    data = os.urandom(2 * CHUNK_BYTES + 7)
    place.put("a.wav", data)
    place.put("empty.wav", b"")
    assert session.stamp("a.wav") == Stamp(len(data), WRITTEN_NS)
    chunks = list(session.chunks("a.wav"))
    assert b"".join(chunks) == data
    assert max(len(chunk) for chunk in chunks) <= CHUNK_BYTES
    assert whole(session, "empty.wav") == b""


@pytest.mark.parametrize("name", ["Ёлкина +7 900.wav", "a\u202eb.wav", "new\nline.wav", "a'\"$(x).wav", "x" * 255])
def test_strange_names_are_names(place: Place, session: Session, name: str) -> None:
    place.put(f"x/{name}", b"sound")
    assert [entry.name for entry in session.list("x")] == [name]
    assert whole(session, f"x/{name}") == b"sound"


def test_what_is_not_there_is_gone(session: Session) -> None:
    for ask in (session.stamp, lambda path: whole(session, path)):
        with pytest.raises(FileGone):
            ask("nothing.wav")
        with pytest.raises(FileGone):
            ask("nowhere/nothing.wav")


def test_a_link_is_told_and_never_followed(place: Place, session: Session) -> None:
    place.put("outside/secret.wav", b"secret")
    place.link("link.wav", "outside/secret.wav")
    place.link("folder", "outside")
    kinds = {entry.name: entry.kind for entry in session.list("")}
    assert kinds["link.wav"] is Kind.LINK
    assert kinds["folder"] is Kind.LINK
    for path in ("link.wav", "folder/secret.wav"):
        for ask in (session.stamp, lambda path: whole(session, path)):
            with pytest.raises(FileRefused, match="symlink"):
                ask(path)


def test_a_folder_is_no_file(place: Place, session: Session) -> None:
    place.put("a.wav/b.wav", b"sound")
    with pytest.raises(FileRefused, match="not_a_file"):
        session.stamp("a.wav")


@pytest.mark.parametrize("path", ["../outside.wav", "x/../../outside.wav", "/etc/passwd", "x//a.wav", "./a.wav", ".."])
def test_a_path_that_climbs_is_not_asked_for(session: Session, path: str) -> None:
    for ask in (session.stamp, lambda path: whole(session, path)):
        with pytest.raises(FileRefused):
            ask(path)
    with pytest.raises(FileRefused):
        session.write(path, b"x")


def test_a_file_is_moved_with_its_folders_made_and_never_over_another(place: Place, session: Session) -> None:
    place.put("20260131/a.wav", b"first")
    assert session.move("20260131/a.wav", "done/20260131/a.wav")
    assert place.read("20260131/a.wav") is None
    assert place.read("done/20260131/a.wav") == b"first"
    place.put("20260131/a.wav", b"second")
    with pytest.raises(FileRefused):
        session.move("20260131/a.wav", "done/20260131/a.wav")
    assert place.read("20260131/a.wav") == b"second"
    assert place.read("done/20260131/a.wav") == b"first"
    assert not session.move("gone.wav", "done/gone.wav")


def test_a_small_file_is_put_over_an_earlier_one(place: Place, session: Session) -> None:
    session.write("failed/a.wav.reason.txt", b"a long reason")
    session.write("failed/a.wav.reason.txt", b"short")
    assert place.read("failed/a.wav.reason.txt") == b"short"


def test_a_source_that_is_not_there_says_so(place: Place) -> None:
    place.close()
    with pytest.raises(SourceFault) as caught, place.source.session() as session:
        session.list("")
    assert caught.value.reason == "source_missing"
