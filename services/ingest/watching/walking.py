"""Walks the folders of a source and says which recordings lie there. Reads by a session; decides nothing.

Links are never followed, hidden folders not entered. Names that could lead out of the source are found with their fault.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from services.ingest.watching import naming, sidecars
from services.ingest.watching.decisions import Found
from services.ingest.watching.ports import Entry, FileRefused, Kind, Session

#: Where files are moved to, at the top of the source.
DONE = "done"
FAILED = "failed"
_FAULTS = {Kind.LINK: "symlink", Kind.OTHER: "not_a_file"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is looked for.

    Attributes:
        marker: Suffix of the file that says that a recording is complete; None: there is none.
        sidecars: Whether files beside recordings say more.
        left_out: Folders at the top that are not entered.
    """

    suffixes: Collection[str] = naming.AUDIO_SUFFIXES
    marker: str | None = None
    sidecars: bool = True
    left_out: Collection[str] = field(default_factory=frozenset)


def walk(session: Session, top: str, survey: Survey, on_unreadable: Callable[[], None]) -> Iterator[list[Found]]:
    """The recordings in a folder and below it, folder by folder, each folder's by name.

    Args:
        session: Of the source.
        top: Where to begin; empty: the whole source.
        survey: What is looked for.
        on_unreadable: Told of every folder that may not be read.
    """
    waiting = deque([top])
    while waiting:
        folder = waiting.popleft()
        try:
            entries = session.list(folder)
        except FileRefused:
            on_unreadable()
            continue
        names = {entry.name: entry for entry in entries}
        waiting.extend(_below(folder, entries, survey))
        found = [one for name in sorted(names) if (one := _found(folder, names[name], names, survey)) is not None]
        if found:
            yield found


def _below(folder: str, entries: Collection[Entry], survey: Survey) -> Iterator[str]:
    for entry in sorted(entries, key=lambda one: one.name):
        path = _joined(folder, entry.name)
        if (
            entry.kind is Kind.FOLDER
            and not entry.name.startswith(".")
            and not _leads_away(path, entry.name)
            and path not in survey.left_out
        ):
            yield path


def _found(folder: str, entry: Entry, names: Mapping[str, Entry], survey: Survey) -> Found | None:
    base = entry.name.rpartition("/")[2]
    if entry.kind is Kind.FOLDER or not naming.is_recording(base, survey.suffixes):
        return None
    path = _joined(folder, entry.name)
    if _leads_away(path, entry.name):
        return Found(path=path, stamp=entry.stamp, fault="path_climbs")
    if entry.kind is not Kind.FILE:
        return Found(path=path, stamp=entry.stamp, fault=_FAULTS[entry.kind])
    sidecar = _beside(sidecars.names_of(entry.name), names) if survey.sidecars else None
    marker = None
    if survey.marker is not None:
        stems = (entry.name, naming.without_suffix(entry.name))
        marker = _beside((f"{stem}{survey.marker}" for stem in stems), names)
    return Found(
        path=path,
        stamp=entry.stamp,
        sidecar_path=None if sidecar is None else _joined(folder, sidecar.name),
        sidecar=None if sidecar is None else sidecar.stamp,
        marker_path=None if marker is None else _joined(folder, marker.name),
    )


def _beside(wanted: Iterator[str], names: Mapping[str, Entry]) -> Entry | None:
    found = (names.get(name) for name in wanted)
    return next((entry for entry in found if entry is not None and entry.kind is Kind.FILE), None)


def _leads_away(path: str, name: str) -> bool:
    return "/" in name or naming.climbs(path)


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
