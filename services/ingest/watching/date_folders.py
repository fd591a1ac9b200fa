"""Which folders a watcher looks into: those of some days, where a PBX keeps a folder a day. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

MAX_DAYS: Final = 3660
_PART: Final = re.compile(r"%(.)")
_DAY: Final = ({"Y", "m", "d"}, {"y", "m", "d"})


class LayoutError(ValueError):
    """A layout of date folders that cannot be understood."""


def check(layout: str) -> None:
    """Refuse what names no folder a day.

    Args:
        layout: `%Y%m%d`, `%Y/%m/%d`, `records/%Y-%m-%d`; empty: there are no date folders.

    Raises:
        LayoutError: With what it must be.
    """
    if layout and set(_PART.findall(layout)) not in _DAY:
        raise LayoutError("folders: say year, month and day, such as %Y%m%d or %Y/%m/%d; empty where there are none")
    if any(part in {"", ".", ".."} for part in layout.split("/")) and layout:
        raise LayoutError("folders: a path below the source, without . and ..")


def last_days(today: date, days: int) -> tuple[date, ...]:
    """Today and the days before it, `days` in all; the newest first."""
    return tuple(today - timedelta(days=back) for back in range(days))


def between(first: date, last: date) -> tuple[date, ...]:
    """All days of a span, both ends among them; the oldest first.

    Raises:
        LayoutError: It ends before it begins, or has more than MAX_DAYS.
    """
    days = (last - first).days + 1
    if not 1 <= days <= MAX_DAYS:
        raise LayoutError(f"a span has 1 to {MAX_DAYS} days, and its first day first")
    return tuple(first + timedelta(days=ahead) for ahead in range(days))


def written_since(first: date, zone: tzinfo | None) -> int:
    """When a day begins, in nanoseconds since 1970; without a zone UTC's day."""
    return int(datetime.combine(first, time.min, zone or UTC).timestamp()) * 1_000_000_000


def folders(layout: str, days: tuple[date, ...]) -> tuple[str, ...]:
    """The folders of these days, below the source; of no layout the source itself."""
    return tuple(dict.fromkeys(day.strftime(layout) for day in days)) if layout else ("",)
