"""A store's folder copied while others put into it and delete from it."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

#: Uploads under way: nobody has been told of them.
NOT_COPIED: Final = ".incoming"


def copy_store(store: Path, target: Path) -> int:
    """Copy what is not there yet; objects never change, so what is there is good. How many were copied.

    An object that is deleted meanwhile was erased: it is not missed.
    """
    copied = 0
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in store.rglob("*"):
        place = path.relative_to(store)
        if place.parts[0] == NOT_COPIED or not path.is_file():
            continue
        with suppress(FileNotFoundError):
            copied += _copied(path, target / place)
    return copied


def _copied(path: Path, target: Path) -> bool:
    if target.exists():
        return False
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = target.with_name(f"{target.name}.copying")
    shutil.copy2(path, scratch)
    scratch.replace(target)
    return True
