"""Files that hold secrets, such as passwords and addresses with them: for their owner alone, written whole."""

from __future__ import annotations

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Put a text in place of what a file held: 0600, all of it or nothing."""
    scratch = path.with_suffix(".tmp")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    scratch.replace(path)
