"""Where this user's cache lies. Read by the commands, which hand the folder to whoever needs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

CACHE_VARIABLE: Final = "RAZGOVOR_CACHE"


def cache_folder(environment: Mapping[str, str]) -> Path:
    """RAZGOVOR_CACHE, else razgovor in XDG_CACHE_HOME, else ~/.cache/razgovor. Absolute; not made here."""
    chosen = environment.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    xdg = Path(environment.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    if not xdg.is_absolute():  # the XDG specification: a relative one is to be ignored
        xdg = Path.home() / ".cache"
    return xdg / "razgovor"
