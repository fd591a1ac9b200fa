"""A PostgreSQL that is not ours, made ready for a stack: roles, database, schemas. Called by `razgovor up --database-url`,
and by tests on the PostgreSQL of `make peers`.

Its administrator's address is said. For a stack the passwords of its three roles are drawn here and kept in the home, beside a
note of where the database is, by which the other commands find it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from razgovor.embedded import postgres_programs as programs
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres_access import AUDITOR, DATABASE, ELSEWHERE, INGEST, LEDGER, DatabaseUrls, passwords
from razgovor.embedded.postgres_place import installed_wheel
from razgovor.embedded.private_file import write_private


def prepare(admin_url: str, home: Path) -> DatabaseUrls:
    """Make roles, database and schemas, or find them made, and note where.

    Args:
        admin_url: See `create`.
        home: The folder of the embedded database, were there one. Made by the caller.

    Raises:
        EmbeddedFailed: See `create`.
    """
    urls = create(admin_url, passwords(home))
    note(home, urls)
    return urls


def create(admin_url: str, words: Mapping[str, str]) -> DatabaseUrls:
    """Make roles, database and schemas, or find them made.

    Args:
        admin_url: `postgresql://superuser:password@host:port/database`; without a database it is `razgovor`.
        words: The passwords that the three roles have from now on.

    Raises:
        EmbeddedFailed: The address is none, or the server refuses.
    """
    parts = urlsplit(admin_url)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.hostname or not parts.username:
        raise EmbeddedFailed("a database's address is postgresql://superuser:password@host:port/database")
    database = unquote(parts.path.lstrip("/")) or DATABASE
    urls = DatabaseUrls(
        admin=_with(parts, unquote(parts.username), unquote(parts.password or ""), database),
        ingest=_with(parts, INGEST, words[INGEST], database),
        ledger=_with(parts, LEDGER, words[LEDGER], database),
        auditor=_with(parts, AUDITOR, words[AUDITOR], database),
    )
    programs.bootstrap_elsewhere(
        installed_wheel(),
        _with(parts, unquote(parts.username), None, "postgres"),
        unquote(parts.password or ""),
        words,
        database,
    )
    return urls


def note(home: Path, urls: DatabaseUrls) -> None:
    """Write down, 0600, where the database of a stack is, if not in its home."""
    write_private(home / ELSEWHERE, json.dumps(asdict(urls)))


def forget(home: Path) -> None:
    """From now on the database is the one in the home."""
    (home / ELSEWHERE).unlink(missing_ok=True)


def _with(parts: SplitResult, user: str, password: str | None, database: str) -> str:
    login = quote(user, safe="") if password is None else f"{quote(user, safe='')}:{quote(password, safe='')}"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(("postgresql", f"{login}@{host}", f"/{quote(database, safe='')}", parts.query, ""))
