"""Who did what, and when: the acts that are logged, and what is shown of them. Written in the transaction of the act.

Called by the adapters that act, and by the command line, which shows the log. No personal data: ids, names, numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

CLIENT_CREATED: Final = "client.created"
CLIENT_CHANGED: Final = "client.changed"
KEY_CREATED: Final = "key.created"
KEY_ROTATED: Final = "key.rotated"
KEY_REVOKED: Final = "key.revoked"
SESSION_OPENED: Final = "session.opened"
LINK_CREATED: Final = "link.created"
JOB_ERASED: Final = "job.erased"
JOB_REQUEUED: Final = "job.requeued"
WEBHOOK_ROTATED: Final = "webhook.rotated"
WEBHOOK_RETIRED: Final = "webhook.retired"
#: Written by the ledger, which knows this log by its function only.
LETTER_REPLAYED: Final = "letter.replayed"
LETTERS_DROPPED: Final = "letters.dropped"
ACTS: Final = (
    *(CLIENT_CREATED, CLIENT_CHANGED, KEY_CREATED, KEY_ROTATED, KEY_REVOKED),
    *(WEBHOOK_ROTATED, WEBHOOK_RETIRED, SESSION_OPENED, LINK_CREATED),
    *(JOB_ERASED, JOB_REQUEUED, LETTER_REPLAYED, LETTERS_DROPPED),
)

#: Whoever acts by a command, where its account is not known.
OPERATOR: Final = "operator"


def key_holder(key_id: str) -> str:
    """Whoever acts with an API key."""
    return f"key:{key_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What is to be logged.

    Attributes:
        who: `operator:UID`, `key:ID`.
        act: One of ACTS.
        client_id: To whose it was done; None: to nobody's.
        subject: The id of what it was done to.
        details: Ids, names of settings, numbers.
    """

    who: str
    act: str
    subject: str
    client_id: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the log.

    Attributes:
        entry_id: 1, 2, 3 and so on, without a gap.
        sha256: Over this entry and the hash of the one before, hex.
    """

    entry_id: int
    at: datetime
    act: Act
    sha256: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are asked for; what is None says nothing."""

    client_id: str | None = None
    act: str | None = None
    since: datetime | None = None


class AuditLog(Protocol):
    """Reads the log. Every method may raise Transient (no answer) and Permanent (refused)."""

    def entries(self, wanted: Wanted, limit: int) -> list[Entry]:
        """The newest entries, the newest first."""

    def first_broken(self) -> int | None:
        """The number of the first entry that is not as it was written, or that one is missing before; None: all are whole."""
