"""What the supervisor knows of a service, as data. `specs` has the real ones, tests have their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

#: What a ready service says of itself in its status file, such as its address.
Facts: TypeAlias = Mapping[str, object]
#: Facts of all ready services, by name.
FactsByName: TypeAlias = Mapping[str, Facts]


def no_environment(_facts: FactsByName) -> Mapping[str, str]:
    """For a service that takes nothing."""
    return {}


def start_alike(_own: Facts) -> Mapping[str, str]:
    """For a service whose later starts are like its first."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """One service.

    Attributes:
        name: Its name; its log is `<name>.log`.
        command: Its command line.
        status_file: Where it writes its state.
        needs: Services that must be ready before it starts.
        environment: Its variables, from the facts of those that it needs. When these come to say something else (a
            broker that restarted elsewhere), the service is drained and started anew.
        again: Further variables for a start after the first, from its own earlier facts (to keep its port).
        start_timeout_s: It must be ready, or waiting for a peer, by then.
        stop_timeout_s: It must have drained by then.
    """

    name: str
    command: tuple[str, ...]
    status_file: Path
    needs: tuple[str, ...] = ()
    environment: Callable[[FactsByName], Mapping[str, str]] = no_environment
    again: Callable[[Facts], Mapping[str, str]] = start_alike
    start_timeout_s: float = 60.0
    stop_timeout_s: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """How a service is.

    Attributes:
        state: `pending` (never started), `starting`, `ready`, `waiting` (for a peer), `draining`, `restarting`
            (ended unasked, starts again after a pause), `stopped`, or what else it says of itself.
        pid: Its process, None while there is none.
        restarts: How often it ended unasked.
        since: Since when it is in this state.
        last_beat_at: When it last gave a sign of life.
        metrics: Where its metrics are, None while it shows none.
    """

    name: str
    state: str
    pid: int | None
    restarts: int
    since: datetime
    last_beat_at: datetime | None
    metrics: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long a service that keeps ending stays down: doubling from the first pause to the longest.

    Attributes:
        stable_s: After so long a ready service counts as healed.
    """

    first_s: float = 0.5
    longest_s: float = 30.0
    stable_s: float = 30.0

    def pause_s(self, failures: int) -> float:
        """The pause after so many failures in a row, from 1."""
        return min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 32))
