"""Which language a caller reads, by RFC 9110's Accept-Language. Called by `reports`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_RANGE: Final = re.compile(
    r"([A-Za-z]{1,8})(?:-[A-Za-z0-9-]{1,32})?(?:\s*;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?"
)


def preferred(accepted: str | None, offered: Sequence[str]) -> str | None:
    """The one of these languages that is liked best; None if none is, or nothing is said."""
    weighed: list[tuple[float, str]] = []
    for part in (accepted or "").split(","):
        found = _RANGE.fullmatch(part.strip())
        if found is not None and found[1].lower() in offered:
            weighed.append((float(found[2] or 1), found[1].lower()))
    best = max(weighed, key=lambda one: one[0], default=(0.0, ""))  # the first of equals
    return best[1] if best[0] > 0 else None
