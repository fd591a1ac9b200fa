"""Passwords and addresses of an embedded database; the keeper writes the passwords once, whoever connects reads them."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres_place import noted_socket_folder
from razgovor.embedded.private_file import write_private

CREDENTIALS: Final = "credentials.json"
#: In a home whose stack uses a database elsewhere: its addresses (`postgres_elsewhere`).
ELSEWHERE: Final = "elsewhere.json"
DATABASE: Final = "razgovor"
ADMIN: Final = "postgres"
INGEST: Final = "razgovor_ingest"
LEDGER: Final = "razgovor_ledger"
AUDITOR: Final = "razgovor_auditor"
ROLES: Final = (ADMIN, INGEST, LEDGER, AUDITOR)


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """One database, seen by its roles: `postgresql://role:password@/database?host=/socket/folder`.

    Attributes:
        auditor: Of the role that only reads; empty where whoever noted the addresses did not know it.
    """

    admin: str = field(repr=False)
    ingest: str = field(repr=False)
    ledger: str = field(repr=False)
    auditor: str = field(default="", repr=False)


def passwords(home: Path) -> dict[str, str]:
    """The password of each role, made on first use and kept 0600. Letters and digits only."""
    path = home / CREDENTIALS
    try:
        kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        kept = {role: secrets.token_hex(24) for role in ROLES}
        write_private(path, json.dumps(kept))
    return {role: kept.get(role) or _derived(kept[ADMIN], role) for role in ROLES}


def _derived(secret: str, role: str) -> str:
    """The password of a role that an older release did not make: everybody who may read the file finds the same."""
    return hmac.new(secret.encode(), role.encode(), hashlib.sha256).hexdigest()[:48]


def database_urls(home: Path, database: str = DATABASE) -> DatabaseUrls:
    """Addresses of a running database, or of the one elsewhere that stands in its place.

    Raises:
        EmbeddedFailed: It does not run.
    """
    with suppress(FileNotFoundError):
        return DatabaseUrls(**json.loads((home / ELSEWHERE).read_text(encoding="utf-8")))
    folder = noted_socket_folder(home)
    if folder is None:
        raise EmbeddedFailed(f"no database runs in {home}")
    return urls_at(folder, passwords(home), database)


def urls_at(socket_folder: Path, words: Mapping[str, str], database: str = DATABASE) -> DatabaseUrls:
    """Addresses from a socket's folder and the passwords by role."""
    admin, ingest, ledger, auditor = (
        f"postgresql://{role}:{words[role]}@/{database}?host={quote(str(socket_folder))}" for role in ROLES
    )
    return DatabaseUrls(admin=admin, ingest=ingest, ledger=ledger, auditor=auditor)
