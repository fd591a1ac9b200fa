"""Whether the engine is at fault, or the calls that it crashes with. Used by `calls`."""

from __future__ import annotations

import threading
from typing import Final

from services.transcriber.intake.markers import Start

#: So many calls in a row that each crashed a fresh engine: it is the engine.
SICK_AFTER_CALLS: Final = 3


class EngineHealth:
    """Counts calls in a row with which the engine crashed, beside others or not; what ran alone is told of nowhere."""

    def __init__(self) -> None:
        self._crashed: dict[str, list[Start]] = {}
        self._lock = threading.Lock()

    def heard(self) -> None:
        """The engine did its work: it was the calls."""
        with self._lock:
            self._crashed.clear()

    def crashed(self, start: Start) -> list[Start]:
        """The engine crashed with this start of a call.

        Returns:
            When it is the engine: the starts that it crashed with, which are not to be held against their calls.
        """
        with self._lock:
            self._crashed.setdefault(start.call, []).append(start)
            if len(self._crashed) < SICK_AFTER_CALLS:
                return []
            return [one for starts in self._crashed.values() for one in starts]
