"""Who speaks on which channel. Taken from the event's map, never guessed. Called by `domain.result`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

MONO: Final = "mono"
STEREO: Final = "stereo"
DUAL_MONO: Final = "dual_mono"
MULTICHANNEL: Final = "multichannel"

OPERATOR: Final = "operator"
CUSTOMER: Final = "customer"

_PAIR: Final = 2


def channel_mode(channels: int, *, identical: bool) -> str:
    """How the channels divide the speakers; identical ones do not."""
    if channels == 1:
        return MONO
    if identical:
        return DUAL_MONO
    return STEREO if channels == _PAIR else MULTICHANNEL


def divides_speakers(mode: str) -> bool:
    """Whether each channel holds one side of the call."""
    return mode not in {MONO, DUAL_MONO}


def roles_of(mode: str, channels: int, channel_map: Sequence[str]) -> Mapping[int, str | None]:
    """Role by channel: the map's where it fits the recording, else None (read as `channel 1`, `channel 2`)."""
    if not divides_speakers(mode) or len(channel_map) != channels:
        return dict.fromkeys(range(channels))
    return dict(enumerate(channel_map))
