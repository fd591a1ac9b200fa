"""The scratch folder: where copies, parts of uploads and decoded channels lie for a while."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import Transient


@contextmanager
def scratch_errors() -> Iterator[None]:
    """A full or lost scratch folder is waited for: it raises Transient."""
    try:
        yield
    except OSError as error:
        raise Transient(f"scratch: {errno.errorcode.get(error.errno or 0, 'OSError')}") from error
