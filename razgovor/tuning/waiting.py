"""What waits to be transcribed, for `razgovor transcriber tune`, which says when it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.ingest.admin import backlog_at
from services.ingest.backlog import Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Calls that wait, and their seconds."""

    calls: int
    audio_s: float


def told(calls: int, call_s: float) -> Backlog:
    """So many calls of so many seconds."""
    return Backlog(calls=calls, audio_s=calls * call_s)


def asked(database_url: str, call_s: float, *, look: Callable[[str], Sequence[Waiting]] = backlog_at) -> Backlog:
    """What ingest's database says.

    Args:
        database_url: PostgreSQL, as ingest's role.
        call_s: Stands for calls none of whose kind says how long it is.
        look: Looks there.

    Raises:
        Transient: The database does not answer.
        Permanent: It does not do what it should.
    """
    waiting = look(database_url)
    silent = sum(one.jobs for one in waiting if not one.audio_s)
    return Backlog(
        calls=sum(one.jobs for one in waiting), audio_s=sum(one.audio_s for one in waiting) + silent * call_s
    )
