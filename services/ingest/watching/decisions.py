"""What becomes of a file that was found: taken, waited for, refused, passed by. Pure.

A file is told by its path, size and time. It is complete when two looks in a row saw the same, or when a marker lies beside
it. Once taken it is never taken again; once refused it is tried again when it, or its sidecar, has changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, TypeAlias

EMPTY_FILE: Final = "empty_file"
#: What PostgreSQL's bigint holds.
_MOST: Final = 2**63 - 1
State: TypeAlias = Literal["taken", "refused", "deferred"]
TAKEN: Final = "taken"
REFUSED: Final = "refused"
DEFERRED: Final = "deferred"


@dataclass(frozen=True, slots=True)
class Stamp:
    """By which a file is told from what it was: its size, and when it was last written, in nanoseconds of the source's clock."""

    size_bytes: int
    modified_ns: int

    @classmethod
    def told(cls, size_bytes: int, modified_ns: int) -> Stamp:
        """A stamp as a source tells it: what no clock or disk of ours could hold is held at the bound."""
        return cls(min(size_bytes, _MOST), max(-_MOST, min(modified_ns, _MOST)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A recording in a folder.

    Attributes:
        sidecar_path, sidecar: The file beside it that says more of the call; None: there is none.
        marker_path: The file beside it that says that it is complete; None: there is none.
        fault: Why it may not be read, whatever it holds: `symlink`, `not_a_file`, `path_climbs`; None: it may.
    """

    path: str
    stamp: Stamp
    sidecar_path: str | None = None
    sidecar: Stamp | None = None
    marker_path: str | None = None
    fault: str | None = None

    @property
    def marked(self) -> bool:
        """Whether somebody says that it is complete."""
        return self.marker_path is not None

    @property
    def look(self) -> Look:
        """What two looks are compared by."""
        return Look(self.stamp, self.sidecar)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look saw of a file and its sidecar."""

    stamp: Stamp
    sidecar: Stamp | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a path.

    Attributes:
        sidecar: As it was when the file was refused.
        due: Of a deferred file: it is time to try again.
    """

    state: State
    stamp: Stamp
    sidecar: Stamp | None = None
    reason: str | None = None
    due: bool = False
    audio_sha256: str | None = None
    job_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a watcher is set.

    Attributes:
        by_marker: Complete is what has a marker, not what stays the same.
        sidecar_required: A file waits for its sidecar.
        moves: What was taken or refused is moved away.
    """

    by_marker: bool = False
    sidecar_required: bool = False
    moves: bool = False


class Step(Enum):
    """What is done with a file."""

    TAKE = "take"
    WAIT = "wait"
    REFUSE = "refuse"
    PASS = "pass"  # noqa: S105  no password
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Decision:
    """A step, and for `REFUSE` why."""

    step: Step
    reason: str = ""


def decide(found: Found, seen: Seen | None, earlier: Look | None, rules: Rules) -> Decision:
    """What becomes of a file.

    Args:
        found: As it is now.
        seen: What is known of its path; None: nothing.
        earlier: What the look before saw of it; None: it was not there, or nobody looked.
        rules: The watcher's.
    """
    if seen is not None and _settled(found, seen):
        return Decision(Step.MOVE if rules.moves and seen.state != DEFERRED and found.fault is None else Step.PASS)
    if found.fault is not None:
        return Decision(Step.REFUSE, found.fault)
    if not _complete(found, earlier, rules):
        return Decision(Step.WAIT)
    if not found.stamp.size_bytes:
        # Where files are moved, an empty one may be one that is about to be written to.
        return Decision(Step.WAIT) if rules.moves and not found.marked else Decision(Step.REFUSE, EMPTY_FILE)
    return Decision(Step.TAKE)


def _settled(found: Found, seen: Seen) -> bool:
    if seen.stamp != found.stamp:
        return False
    return seen.state == TAKEN or (seen.sidecar == found.sidecar and not seen.due)


def _complete(found: Found, earlier: Look | None, rules: Rules) -> bool:
    if rules.sidecar_required and found.sidecar is None:
        return False
    return found.marked if rules.by_marker else earlier == found.look
