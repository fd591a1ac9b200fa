"""Whether the engine is at fault, or the calls that it crashes with. Used by `calls`.

A crash takes all calls that the engine had in hand, so it has several suspects. Crashes in a row that two calls explain
between them are theirs; more than that is the engine.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Final

from services.transcriber.intake.markers import Start
from services.transcriber.ports import EngineCrashed

#: So few crashes in a row are never the engine's fault.
SICK_AFTER_CRASHES: Final = 3


@dataclass(frozen=True, slots=True)
class _Crash:
    error: EngineCrashed
    suspects: frozenset[str]


class EngineHealth:
    """Counts crashes of the engine in a row, and the calls that it had in hand."""

    def __init__(self) -> None:
        self._crashes: list[_Crash] = []
        self._starts: list[Start] = []
        self._lock = threading.Lock()

    def heard(self) -> None:
        """The engine did its work: it was the calls."""
        with self._lock:
            self._crashes.clear()
            self._starts.clear()

    def crashed(self, start: Start, error: EngineCrashed) -> list[Start]:
        """The engine crashed with this start of a call; `error` is one and the same for all calls of a crash.

        Returns:
            When it is the engine: the starts that it crashed with, which are not to be held against their calls.
        """
        with self._lock:
            self._starts.append(start)
            if not any(crash.error is error for crash in self._crashes):
                self._crashes.append(_Crash(error, error.calls | {start.call}))
            return [] if self._is_explained() else list(self._starts)

    def _is_explained(self) -> bool:
        if len(self._crashes) < SICK_AFTER_CRASHES:
            return True
        suspects = frozenset.union(*(crash.suspects for crash in self._crashes))
        return any(
            all(not crash.suspects.isdisjoint(pair) for crash in self._crashes)
            for pair in combinations_with_replacement(sorted(suspects), 2)
        )
