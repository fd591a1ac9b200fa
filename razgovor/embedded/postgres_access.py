"""Passwords and addresses of an embedded database; the keeper writes the passwords once, whoever connects reads them."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres_place import noted_socket_folder

CREDENTIALS: Final = "credentials.json"
DATABASE: Final = "razgovor"
ADMIN: Final = "postgres"
INGEST: Final = "razgovor_ingest"
LEDGER: Final = "razgovor_ledger"
ROLES: Final = (ADMIN, INGEST, LEDGER)


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """One database, seen by its three roles: `postgresql://role:password@/database?host=/socket/folder`."""

    admin: str = field(repr=False)
    ingest: str = field(repr=False)
    ledger: str = field(repr=False)


def passwords(home: Path) -> dict[str, str]:
    """The password of each role, made on first use and kept 0600. Letters and digits only."""
    path = home / CREDENTIALS
    try:
        kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        kept = {role: secrets.token_hex(24) for role in ROLES}
        scratch = path.with_suffix(".tmp")
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(kept, file)
        scratch.replace(path)
    return kept


def database_urls(home: Path, database: str = DATABASE) -> DatabaseUrls:
    """Addresses of a running database.

    Raises:
        EmbeddedFailed: It does not run.
    """
    folder = noted_socket_folder(home)
    if folder is None:
        raise EmbeddedFailed(f"no database runs in {home}")
    return urls_at(folder, passwords(home), database)


def urls_at(socket_folder: Path, words: Mapping[str, str], database: str = DATABASE) -> DatabaseUrls:
    """Addresses from a socket's folder and the passwords by role."""
    admin, ingest, ledger = (
        f"postgresql://{role}:{words[role]}@/{database}?host={quote(str(socket_folder))}" for role in ROLES
    )
    return DatabaseUrls(admin=admin, ingest=ingest, ledger=ledger)
