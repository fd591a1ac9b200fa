"""The scratch folder: where copies, parts of uploads and decoded channels lie for a while."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pipeline.errors import Transient


@contextmanager
def scratch_errors() -> Iterator[None]:
    """A full or lost scratch folder is waited for: it raises Transient."""
    try:
        yield
    except OSError as error:
        raise Transient(f"scratch: {errno.errorcode.get(error.errno or 0, 'OSError')}") from error


@contextmanager
def scratch_file(folder: Path | None, fill: Callable[[IO[bytes]], None]) -> Iterator[Path]:
    """A file of its own, 0600, filled and closed before it is handed out, gone with the context.

    Args:
        folder: Where; None: the system's temporary folder.
        fill: Writes what it is to hold.

    Raises:
        Transient: There is no room for it.
    """
    with scratch_errors():
        descriptor, name = tempfile.mkstemp(prefix="razgovor-blob-", dir=folder)
    path = Path(name)
    try:
        with scratch_errors(), os.fdopen(descriptor, "wb") as file:
            fill(file)
        yield path
    finally:
        path.unlink(missing_ok=True)
