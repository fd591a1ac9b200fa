"""A recording before anybody has looked into it: what its event says. It crosses the front end's port, see `ports.FrontEnd`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_WAV: Final = "audio/wav"
_USUAL_WAV_BYTES_S: Final = 16_000
"""8 kHz A-law stereo: most exchanges write nothing else."""
_USUAL_BYTES_S: Final = 2_000
_MOST_BYTES_S: Final = 192_000
"""48 kHz, 16 bit, stereo: a file that claims to be shorter than this makes it lies."""
_LEAST_BYTES_S: Final = 500
"""Under AMR's slowest mode: one that claims to be longer than this makes it lies too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A call's recording.

    Attributes:
        call: Tells calls apart; goes into the windows.
        sha256: What its bytes must hash to.
        media_type: As accepted.
        size_bytes: As accepted.
        declared_duration_s: What its header claims; None for nothing.
        priority: `interactive`, `normal` or `bulk`.
    """

    call: str
    sha256: str
    media_type: str = ""
    size_bytes: int = 0
    declared_duration_s: float | None = None
    priority: str = "normal"

    @property
    def likely_duration_s(self) -> float:
        """How long it seems to be: the header's word where the number of bytes does not make it a lie."""
        declared_s = self.declared_duration_s
        if declared_s is None or declared_s > self.size_bytes / _LEAST_BYTES_S:
            return self.size_bytes / (_USUAL_WAV_BYTES_S if self.media_type == _WAV else _USUAL_BYTES_S)
        return max(declared_s, self.size_bytes / _MOST_BYTES_S)
