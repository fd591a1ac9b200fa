"""The database as one file: pg_dump and pg_restore out of the wheel."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from razgovor.embedded import postgres_programs
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres_place import installed_wheel

TIMEOUT_S: Final = 86_400.0
SCHEMAS: Final = ("ingest", "ledger")


def dump(url: str, file: Path) -> None:
    """Write both schemas as they are at one moment, 0600; whoever works goes on.

    Args:
        url: The database, as one who may read all of it.
        file: Replaced.

    Raises:
        EmbeddedFailed: pg_dump failed.
    """
    scratch = file.with_suffix(".new")
    os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    schemas = [f"--schema={name}" for name in SCHEMAS]
    _run("pg_dump", url, ["--format=custom", "--no-password", f"--file={scratch}", *schemas])
    scratch.replace(file)


def restore(url: str, file: Path) -> None:
    """Put a dump in place of what the schemas hold.

    Args:
        url: The database, as its superuser; the roles are there.
        file: What `dump` wrote.

    Raises:
        EmbeddedFailed: pg_restore failed; nothing has changed.
    """
    _run("pg_restore", url, ["--single-transaction", "--clean", "--if-exists", "--no-password", str(file)])


def _run(program: str, url: str, arguments: list[str]) -> None:
    """The password travels by the environment, not by the command line."""
    parts = urlsplit(url)
    login, _, host = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    without = urlunsplit(parts._replace(netloc=f"{user}@{host}"))
    done = subprocess.run(
        [str(installed_wheel().program(program)), f"--dbname={without}", *arguments],
        cwd="/",
        env=postgres_programs.environment(PGPASSWORD=unquote(password)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise EmbeddedFailed(f"{program} failed: {done.stderr[-2000:].strip()}")
