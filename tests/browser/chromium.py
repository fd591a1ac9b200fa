"""Debian's Chromium, or another one of its kind that is there."""

from __future__ import annotations

import os
import shutil
from typing import Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW: Final = "no Chromium here: `make browser` installs it (as root, by apt), or name one in RAZGOVOR_BROWSER"


def executable() -> str | None:
    """Where it is; None: it is not."""
    named = os.environ.get("RAZGOVOR_BROWSER")
    found = [named] if named else [path for name in NAMES if (path := shutil.which(name)) is not None]
    return found[0] if found else None


def is_required() -> bool:
    """Whether a test may not be left out."""
    return os.environ.get("RAZGOVOR_REQUIRE_BROWSER", "") not in {"", "0"}
