"""What a check found: a value that the command draws or writes as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """How it is."""

    OK = "ok"
    WARNING = "warning"  # it works, and somebody should know
    MISSING = "missing"  # it can't work


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row.

    Attributes:
        subject: What was looked at: broker, database, ...
        found: What is there, in a few words.
        advice: What to do; empty when nothing is to be done.
    """

    subject: str
    state: State
    found: str
    advice: str = ""


def ok(subject: str, found: str) -> Finding:
    """All is well."""
    return Finding(subject=subject, state=State.OK, found=found)


def warning(subject: str, found: str, advice: str) -> Finding:
    """It works, and somebody should know."""
    return Finding(subject=subject, state=State.WARNING, found=found, advice=advice)


def missing(subject: str, found: str, advice: str) -> Finding:
    """Without it nothing works."""
    return Finding(subject=subject, state=State.MISSING, found=found, advice=advice)
