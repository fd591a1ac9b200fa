"""Durations as options write them: `90s`, `15m`, `24h`, `30d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

_DURATION: Final = re.compile(r"(\d{1,6})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta | None:
    """The duration that a text names; None: it names none."""
    match = _DURATION.fullmatch(text)
    return None if match is None else timedelta(**{_UNITS[match[2]]: int(match[1])})
