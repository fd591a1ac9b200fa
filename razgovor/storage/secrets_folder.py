"""The services' secrets at the store: one file each, 0600, made where it is missing."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from pipeline.errors import Fatal

_SECRET_BYTES: Final = 30


def secret_of(folder: Path, service: str, *, make: bool) -> str:
    """The secret of a service: `<service>_store_secret_key` in the folder.

    Raises:
        Fatal: There is none and none is to be made, or it cannot be read or written.
    """
    path = folder / f"{service}_store_secret_key"
    try:
        if path.exists() or not make:
            return path.read_text(encoding="utf-8").strip()
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secret + "\n")
    except OSError as error:
        raise Fatal(f"{path}: {error.strerror}") from error
    return secret
