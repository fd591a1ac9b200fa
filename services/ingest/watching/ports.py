"""What watching needs of the world: a source of recordings, and the list of what was seen.

Sources: `adapters.folder_source`, `adapters.sftp_source`, the shipped fake `adapters.memory_source`; one suite runs over all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, Protocol

from pipeline.errors import RazgovorError
from services.ingest.watching.decisions import Seen, Stamp

#: Bytes that a session gives at once, at most.
CHUNK_BYTES: Final = 1 << 18
#: More in one folder than any PBX leaves: a server that never ends its answer would fill our memory.
MAX_ENTRIES: Final = 1_000_000


class SourceFault(RazgovorError):
    """A source cannot be looked at now; it is asked again later.

    Attributes:
        reason: A stable code: `source_missing`, `source_unavailable`, `access_denied`,
            `host_key_refused`, `key_unreadable`, `folder_too_large`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FileGone(RazgovorError):
    """A file is not there, or no more."""


class FileRefused(RazgovorError):
    """A file that may not be read, or is none.

    Attributes:
        reason: `symlink`, `not_a_file` or `unreadable`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Kind(Enum):
    """What lies in a folder. A link is never followed."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in a folder.

    Attributes:
        name: As the source tells it: a stranger's.
    """

    name: str
    kind: Kind
    stamp: Stamp


class Session(Protocol):
    """A source while it is looked at. Paths are relative to it, with `/` between their parts.

    Every method may raise SourceFault.
    """

    def list(self, folder: str) -> list[Entry]:
        """What lies in a folder; nothing where there is none, or only a link to one.

        Raises:
            FileRefused: `unreadable`.
        """

    def stamp(self, path: str) -> Stamp:
        """Size and time of a file now.

        Raises:
            FileGone: It is not there.
            FileRefused: It is none.
        """

    def chunks(self, path: str) -> Iterator[bytes]:
        """A file's bytes, at most CHUNK_BYTES at once. No part of the path is a link, or nothing is given.

        Raises:
            FileGone: It is not there.
            FileRefused: It is none, or may not be read.
        """

    def move(self, path: str, target: str) -> bool:
        """Give a file another place in the source, whose folders are made; never over what lies there.

        Returns:
            False: It is gone.

        Raises:
            FileRefused: `unreadable`: the source does not let us, or something lies there.
        """

    def write(self, path: str, data: bytes) -> None:
        """Put a small file, over one that we put before.

        Raises:
            FileRefused: `unreadable`: the source does not let us.
        """


class Source(Protocol):
    """Where recordings are left."""

    def session(self) -> AbstractContextManager[Session]:
        """Look at it.

        Raises:
            SourceFault: It cannot be.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A watcher and whose recordings it fetches."""

    watcher: str
    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a file was not taken.

    Attributes:
        reason: A stable code.
        detail: For people; never what a name or a field held.
        retry_after_s: When it is tried again by itself; None: once it has changed.
    """

    reason: str
    detail: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """A file that was not taken, for an operator.

    Attributes:
        path: None: it is not known any more.
        retry_at: None: once it has changed.
    """

    watcher: str
    client_id: str
    path: str | None
    size_bytes: int
    reason: str
    detail: str
    seen_at: datetime
    retry_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookFacts:
    """What one look found.

    Attributes:
        found: Recordings in the folders that were looked into.
        waiting: Of these, not complete yet.
        fault: Why the source could not be looked at; None: it could.
    """

    found: int = 0
    waiting: int = 0
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatcherFacts:
    """A watcher, for an operator."""

    watcher: str
    client_id: str
    looked_at: datetime
    look: LookFacts
    taken: int
    refused: int


class SeenFiles(Protocol):
    """What watchers have seen, for ever. Time is the database's. Every method may raise Transient."""

    def fetch(self, owner: Owner, paths: Sequence[str]) -> Mapping[str, Seen]:
        """What is known of these paths."""

    def mark_taken(self, owner: Owner, path: str, stamp: Stamp, *, audio_sha256: str, job_id: str) -> None:
        """Say that a file is a job."""

    def mark_refused(self, owner: Owner, path: str, stamp: Stamp, sidecar: Stamp | None, refusal: Refusal) -> None:
        """Say that it is none, and why."""

    def refused(self, watcher: str | None, limit: int) -> list[ListedFile]:
        """Files that were not taken, the newest first."""

    def forget_refused(self, watcher: str, reason: str | None) -> int:
        """Have files that were not taken be looked at again; how many."""

    def turn(self, owner: Owner) -> AbstractContextManager[bool]:
        """Be the one process that looks, for as long as the context lasts; False: another one is."""

    def note_look(self, owner: Owner, look: LookFacts) -> None:
        """Keep what a look found."""

    def watchers(self) -> list[WatcherFacts]:
        """All that ever looked, by name."""
