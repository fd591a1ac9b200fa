"""A database server for a test session, and a fresh database for each test. Fixtures are made of these."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from razgovor.embedded.account import server_account
from razgovor.embedded.postgres import EmbeddedPostgres
from razgovor.embedded.postgres_place import home_mode, remove_database


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A short folder of our own under the system's temporary one, that the database's account may pass through.

    A test runner's own temporary folders are 0700, and as root the database does not run as we do.
    """
    with tempfile.TemporaryDirectory(prefix="razgovor-test-") as name:
        folder = Path(name)
        folder.chmod(home_mode(server_account()))
        yield folder


@contextmanager
def temporary_postgres() -> Iterator[EmbeddedPostgres]:
    """A server that runs, and leaves nothing behind."""
    with temporary_folder() as folder:
        home = folder / "postgres"
        try:
            with EmbeddedPostgres(home, fallback_root=folder / "fallback") as server:
                yield server
        finally:
            remove_database(home)
