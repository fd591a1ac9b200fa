from __future__ import annotations

from collections.abc import Iterator

from services.ingest.adapters.memory_source import MemorySource
from services.ingest.watching.decisions import Found, Stamp
from services.ingest.watching.ports import Entry, FileRefused, Kind
from services.ingest.watching.walking import Survey, walk

STAMP = Stamp(1, 1)


class Told:
    """A session of a server that tells whatever it likes."""

    def __init__(self, **folders: list[Entry] | None) -> None:
        self._folders = folders
        self.asked: list[str] = []

    def list(self, folder: str) -> list[Entry]:
        self.asked.append(folder)
        entries = self._folders.get(folder or "top", [])
        if entries is None:
            raise FileRefused("unreadable")
        return entries

    def stamp(self, path: str) -> Stamp:
        raise AssertionError(path)

    def chunks(self, path: str) -> Iterator[bytes]:
        raise AssertionError(path)

    def move(self, path: str, target: str) -> bool:
        raise AssertionError(path, target)

    def write(self, path: str, data: bytes) -> None:
        raise AssertionError(path, data)


def walked(session: Told, survey: Survey | None = None) -> tuple[list[Found], int]:
    unreadable: list[None] = []
    batches = walk(session, "", survey or Survey(), lambda: unreadable.append(None))
    return [found for batch in batches for found in batch], len(unreadable)


def test_names_that_climb_are_found_with_their_fault_and_folders_that_do_are_not_entered() -> None:
    names = ["../climbs.wav", "/etc/passwd.wav", "a/b.wav", "x\0.wav", "x" * 4100 + ".wav"]
    session = Told(top=[*(Entry(name, Kind.FILE, STAMP) for name in names), Entry("..", Kind.FOLDER, STAMP)])
    found, _ = walked(session)
    assert {one.path: one.fault for one in found} == dict.fromkeys(names, "path_climbs")
    assert session.asked == [""]


def test_a_tree_without_end_is_walked_to_its_bound() -> None:
    class Endless(Told):
        def list(self, folder: str) -> list[Entry]:
            self.asked.append(folder)
            return [Entry("x", Kind.FOLDER, STAMP), Entry("a.wav", Kind.FILE, STAMP)]

    session = Endless()
    found, _ = walked(session)
    assert len(session.asked) == 17
    assert len(found) == 17


def test_a_folder_that_may_not_be_read_is_counted_and_the_others_are_walked() -> None:
    folders = [Entry("closed", Kind.FOLDER, STAMP), Entry("open", Kind.FOLDER, STAMP), Entry("link", Kind.LINK, STAMP)]
    found, unreadable = walked(Told(top=folders, closed=None, open=[Entry("a.wav", Kind.FILE, STAMP)]))
    assert [one.path for one in found] == ["open/a.wav"]
    assert unreadable == 1


def test_what_lies_beside_a_recording_is_found_with_it() -> None:
    source = MemorySource()
    for path in ("a.wav", "a.wav.json", "a.csv", "a.done", "b.wav", "b.json", "done/c.wav"):
        source.put(path, b"1", 1)
    survey = Survey(marker=".done", left_out={"done"})
    with source.session() as session:
        (found,) = walk(session, "", survey, lambda: None)
    assert [(one.path, one.sidecar_path, one.marker_path) for one in found] == [
        ("a.wav", "a.csv", "a.done"),
        ("b.wav", "b.json", None),
    ]
