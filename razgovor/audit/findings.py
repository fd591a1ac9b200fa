"""What an audit says: findings, and the report over them. A violation breaks an invariant; a note is worth knowing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

#: Findings shown of each invariant and code; all are counted.
EXAMPLES_MAX: Final = 10


class Invariant(StrEnum):
    """The invariants, each with what it says."""

    says: str

    def __new__(cls, name: str, says: str) -> Self:
        """A member is its name; `says` is for people."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.says = says
        return member

    I1 = "I1", "every accepted job ends in exactly one of completed, failed, canceled"
    I2 = "I2", "one net billed entry per completed run, none per failed, legs sum to 0"
    I3 = "I3", "every row has its object, with the same size and hash"
    I4 = "I4", "every old prefix of the store belongs to a known job"
    I5 = "I5", "no group has committed past an unfinished record"
    I6 = "I6", "dead letters and effects are the inputs"
    I7 = "I7", "nothing crosses from client to client"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact that should not be, or that is worth knowing.

    Attributes:
        code: What it is, in one stable word.
        job_id: Whose; None: nobody's.
        where: A key, a place in a log, a run.
        violation: Whether it breaks the invariant.
    """

    invariant: Invariant
    code: str
    job_id: str | None = None
    where: str = ""
    violation: bool = True


@dataclass(slots=True)
class Tally:
    """What was found of one invariant.

    Attributes:
        checked: Things looked at; None: it was not checked, and `why_not` says why.
    """

    checked: int | None = 0
    why_not: str = ""
    violations: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    examples: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool | None:
        """Whether the invariant holds; None: it was not checked."""
        return None if self.checked is None else not self.violations


class Findings:
    """Counts findings, and keeps a few of each code as examples."""

    def __init__(self, unchecked: Mapping[Invariant, str]) -> None:
        """`unchecked` are the invariants that nobody looks at, with the reason."""
        self.tallies = {invariant: Tally() for invariant in Invariant}
        for invariant, why in unchecked.items():
            self.tallies[invariant] = Tally(checked=None, why_not=why)

    def looked_at(self, invariant: Invariant, count: int = 1) -> None:
        """So many things were looked at."""
        tally = self.tallies[invariant]
        if tally.checked is not None:
            tally.checked += count

    def add(self, findings: Iterable[Finding]) -> None:
        """Take findings; those of an invariant that is not checked are none."""
        for finding in findings:
            tally = self.tallies[finding.invariant]
            if tally.checked is None:
                continue
            counts = tally.violations if finding.violation else tally.notes
            counts[finding.code] += 1
            if counts[finding.code] <= EXAMPLES_MAX:
                tally.examples.append(finding)

    @property
    def ok(self) -> bool:
        """Whether nothing is broken of what was checked."""
        return all(tally.holds is not False for tally in self.tallies.values())
