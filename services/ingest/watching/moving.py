"""Moves files that were taken or refused, where an operator asked for it: into done/ or failed/, the reason beside. Called by `taking`."""

from __future__ import annotations

from typing import Final

from services.ingest.watching.decisions import Found
from services.ingest.watching.ports import FileRefused, Refusal, Session
from services.ingest.watching.walking import DONE, FAILED

REASON_SUFFIX: Final = ".reason.txt"
#: Files of one path that came one after the other: more are left where they are.
_SAME_PATH: Final = 100


def move_done(session: Session, found: Found) -> bool:
    """Move a file that was taken, with what lies beside it; False: the source does not let us.

    Raises:
        SourceFault: The source cannot be looked at.
    """
    return _moved(session, found, DONE) is not None


def move_failed(session: Session, found: Found, refusal: Refusal) -> bool:
    """Move a file that was refused, and write why beside it; False: the source does not let us.

    Raises:
        SourceFault: The source cannot be looked at.
    """
    target = _moved(session, found, FAILED)
    if target is None:
        return False
    try:
        session.write(f"{target}{REASON_SUFFIX}", f"{refusal.reason}\n{refusal.detail}\n".encode())
    except FileRefused:
        return False
    return True


def _moved(session: Session, found: Found, folder: str) -> str | None:
    """Where it lies now; None: where it lay."""
    for number in range(_SAME_PATH):
        target = f"{folder}/{found.path}" if not number else f"{folder}/{number}/{found.path}"
        try:
            session.move(found.path, target)
            for beside in (found.sidecar_path, found.marker_path):
                if beside is not None:
                    session.move(beside, target.removesuffix(found.path) + beside)
        except FileRefused:
            if not _lies_there(session, target):
                return None
        else:
            return target
    return None


def _lies_there(session: Session, path: str) -> bool:
    parent, _, name = path.rpartition("/")
    try:
        return any(entry.name == name for entry in session.list(parent))
    except FileRefused:
        return False
