"""What a second of call leaves in the store: its recording, its transcript and its exports. Measured over the sample calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.contracts.transcript import Transcript
from pipeline.formats import FORMATS
from services.ingest.clients import USUAL_FORMATS

#: What a client gets who orders nothing else.
EXPORTS: Final = USUAL_FORMATS
_LOCALE: Final = "ru"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Bytes in the store for each second of call."""

    recording: float = 0.0
    transcript: float = 0.0
    exports: float = 0.0

    @property
    def all(self) -> float:
        """All of them."""
        return self.recording + self.transcript + self.exports


def stored(calls: Iterable[tuple[Path, Transcript]]) -> Stored:
    """Over recordings as they lie there and what was heard in them; nothing of calls that last no time.

    Rows of the database, markers, and what names people about a call (`call.json`) are not counted.
    """
    duration_s = 0.0
    recording = transcript = exports = 0
    for path, heard in calls:
        duration_s += heard.duration_s
        recording += path.stat().st_size
        transcript += len(heard.to_bytes())
        exports += sum(len(FORMATS[name].render(heard, None, _LOCALE)) for name in EXPORTS)
    if not duration_s:
        return Stored()
    return Stored(recording=recording / duration_s, transcript=transcript / duration_s, exports=exports / duration_s)
