"""Times as people and players read them. Called by every format."""

from __future__ import annotations

from datetime import datetime
from typing import Final

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600


def milliseconds(seconds: float) -> int:
    """Rounded, never negative."""
    return max(0, round(seconds * 1000))


def clock(seconds: float, *, hours: bool = False) -> str:
    """`04:12`, from an hour on or if asked `1:04:12`; whole seconds, rounded down, so that jumping there misses nothing."""
    whole = milliseconds(seconds) // 1000
    if hours or whole >= _HOUR_S:
        return f"{whole // _HOUR_S}:{whole % _HOUR_S // _MINUTE_S:02}:{whole % _MINUTE_S:02}"
    return f"{whole // _MINUTE_S:02}:{whole % _MINUTE_S:02}"


def is_long(duration_s: float) -> bool:
    """Whether times of this call need hours."""
    return duration_s >= _HOUR_S


def subtitle_time(time_ms: int, separator: str) -> str:
    """`00:04:12.345`, with the separator before the milliseconds."""
    whole, rest_ms = divmod(time_ms, 1000)
    return f"{whole // _HOUR_S:02}:{whole % _HOUR_S // _MINUTE_S:02}:{whole % _MINUTE_S:02}{separator}{rest_ms:03}"


def zone(moment: datetime) -> str:
    """`UTC+03:00`: the offset that the client gave."""
    offset = moment.strftime("%z")
    return f"UTC{offset[:3]}:{offset[3:5]}"
