"""Oktell's exports as they lie beside the recordings or on this machine: each is read again only when it has changed."""

from __future__ import annotations

from datetime import date
from pathlib import PurePosixPath
from typing import Final

from pipeline.telemetry import logs
from services.ingest.watching.decisions import Stamp
from services.ingest.watching.oktell import MAX_BYTES, Journal, journal
from services.ingest.watching.ports import FileGone, FileRefused, Session, Source
from services.ingest.watching.tables import TableError

#: Days whose journals are kept in memory.
KEPT: Final = 8


def read_small(session: Session, path: str, max_bytes: int) -> bytes | None:
    """A small file whole; None: it is larger.

    Raises:
        FileGone, FileRefused, SourceFault: See `Session.chunks`.
    """
    data = bytearray()
    for chunk in session.chunks(path):
        data += chunk
        if len(data) > max_bytes:
            return None
    return bytes(data)


class Journals:
    """The journal of a day.

    Args:
        layout: Its path with the day, such as `%Y%m%d/connections.csv`; absolute: on this machine.
        here: This machine's disk, for an absolute path.
    """

    def __init__(self, layout: str, here: Source) -> None:
        self._layout = layout
        self._here = here
        self._known: dict[str, tuple[Stamp, Journal]] = {}

    def of(self, day: date, session: Session) -> Journal:
        """The journal of a day; an empty one where there is none, or none that can be read.

        Raises:
            SourceFault: The source cannot be looked at.
        """
        path = day.strftime(self._layout)
        if not PurePosixPath(path).is_absolute():
            return self._read(path, session)
        with self._here.session() as here:
            return self._read(path.lstrip("/"), here)

    def _read(self, path: str, session: Session) -> Journal:
        try:
            stamp = session.stamp(path)
            known = self._known.get(path)
            if known is not None and known[0] == stamp:
                return known[1]
            found = _parsed(read_small(session, path, MAX_BYTES))
        except (FileGone, FileRefused):
            return Journal()
        self._keep(path, stamp, found)
        return found

    def _keep(self, path: str, stamp: Stamp, found: Journal) -> None:
        self._known.pop(path, None)
        self._known[path] = (stamp, found)
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]


def _parsed(data: bytes | None) -> Journal:
    try:
        if data is not None:
            return journal(data)
    except TableError as error:
        logs.get(__name__).warning("journal_unreadable", error=str(error))
        return Journal()
    logs.get(__name__).warning("journal_unreadable", error=f"more than {MAX_BYTES} bytes")
    return Journal()
