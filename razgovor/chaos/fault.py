"""What a fault is to the rig: a name, a limit, and how it is played. `faults` has them, docs/chaos.md lists them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Final

from razgovor.chaos.stage import Stage

WORKER_LIMIT_S: Final = 75.0
BROKER_LIMIT_S: Final = 30.0
POSTGRES_LIMIT_S: Final = 15.0


class CannotPlay(Exception):
    """This machine lacks what the fault needs; the text says what and how to get it."""


class Fault(ABC):
    """One fault.

    Attributes:
        number: In the table of docs/chaos.md.
        name: What is broken.
        limit_s: The flow must be back after so long.
        drain_s: All that was promised must have ended so long after the fault.
        answers: What uploads may be answered with meanwhile, besides 202; whatever it is, each must be taken in the end.
        call_events: Whether a share of its calls comes by `call.recorded`.
        peer_limit: Whether the limit counts from a peer's return; else from a kill, for the calls that were under way.
    """

    number: ClassVar[int]
    name: ClassVar[str]
    limit_s: ClassVar[float] = WORKER_LIMIT_S
    drain_s: ClassVar[float] = 150.0
    answers: ClassVar[frozenset[int]] = frozenset()
    call_events: ClassVar[bool] = True
    peer_limit: ClassVar[bool] = False

    @abstractmethod
    def play(self, stage: Stage) -> None:
        """Break things under load, mend them, note what should not have been."""
