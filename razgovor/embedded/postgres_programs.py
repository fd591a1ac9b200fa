"""The wheel's short-lived programs: `initdb` makes a database, `psql` bootstraps it, `pg_isready` and `pg_ctl` see to it.

Called by `postgres_server`. The vendor's driver (psycopg) stays with the services; here is only what the wheel carries.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from razgovor.embedded.account import Account, Credentials
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres_access import ADMIN, AUDITOR, DATABASE, INGEST, LEDGER
from razgovor.embedded.postgres_place import Wheel

TIMEOUT_S: Final = 120.0
NOBODY_ELSE: Final = Credentials()
PORT: Final = 5432  # of a server without TCP: the name of its socket


def environment(**more: str) -> dict[str, str]:
    """What the programs see: none of the PG* that a user may have set."""
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", **more}


def initialise(wheel: Wheel, data: Path, password: str, scratch: Path, account: Account) -> None:
    """Make a database's files in `data` (created here, 0700, the account's); `scratch` is a private folder of the account.

    Raises:
        EmbeddedFailed: initdb failed.
    """
    data.mkdir(mode=0o700)
    password_file = scratch / "initdb-password"
    with os.fdopen(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(password)
    try:
        if account.borrowed:
            os.chown(data, account.uid, account.gid)
            os.chown(password_file, account.uid, account.gid)
        command = [str(wheel.program("initdb")), "--pgdata", str(data), "--username", ADMIN, "--encoding", "UTF8"]
        command += ["--locale", "C.UTF-8", "--auth", "scram-sha-256", "--pwfile", str(password_file)]
        _run(command, why="initdb failed", run_as=account.credentials())
    finally:
        password_file.unlink(missing_ok=True)


def bootstrap(
    wheel: Wheel, socket_folder: Path, words: Mapping[str, str], database: str = DATABASE, *, port: int = PORT
) -> None:
    """Make roles, database and schemas, or find them made.

    Raises:
        EmbeddedFailed: psql failed.
    """
    run_sql(wheel, socket_folder, words[ADMIN], _bootstrap_script(words, database), port=port)


def bootstrap_elsewhere(wheel: Wheel, url: str, password: str, words: Mapping[str, str], database: str) -> None:
    """The same at an address of an administrator, which has no password in it: it travels by the environment.

    Raises:
        EmbeddedFailed: psql failed.
    """
    _psql(wheel, ["--dbname", url], password, _bootstrap_script(words, database))


def _bootstrap_script(words: Mapping[str, str], database: str) -> str:
    return "\n".join(
        (
            f"\\set database '{database}'",
            f"\\set ingest_password '{words[INGEST]}'",
            f"\\set ledger_password '{words[LEDGER]}'",
            f"\\set auditor_password '{words[AUDITOR]}'",
            files("razgovor.embedded").joinpath("bootstrap.sql").read_text(encoding="utf-8"),
        )
    )


def run_sql(wheel: Wheel, socket_folder: Path, password: str, script: str, *, port: int = PORT) -> None:
    """Run a psql script as superuser, stopping at the first error. Passwords travel by pipe, not by command line.

    Raises:
        EmbeddedFailed: psql failed.
    """
    where = ["--host", str(socket_folder), "--port", str(port), "--username", ADMIN, "--dbname", "postgres"]
    _psql(wheel, where, password, script)


def _psql(wheel: Wheel, where: list[str], password: str, script: str) -> None:
    command = [str(wheel.program("psql")), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--no-password"]
    _run([*command, *where, "--file", "-"], why="psql failed", text=script, env=environment(PGPASSWORD=password))


def is_ready(wheel: Wheel, socket_folder: Path, *, port: int = PORT) -> bool:
    """Whether the server answers."""
    command = [str(wheel.program("pg_isready")), "--quiet", "--host", str(socket_folder), "--port", str(port)]
    command += ["--timeout", "3"]
    return subprocess.run(command, cwd="/", env=environment(), timeout=TIMEOUT_S, check=False).returncode == 0


def stop_orphan(wheel: Wheel, data: Path, account: Account) -> None:
    """Stop a server whose keeper died.

    Raises:
        EmbeddedFailed: It does not stop.
    """
    command = [str(wheel.program("pg_ctl")), "stop", "--pgdata", str(data), "--mode", "fast", "--timeout", "30"]
    _run(command, why="an older server does not stop", run_as=account.credentials())


def _run(
    command: list[str],
    *,
    why: str,
    text: str = "",
    run_as: Credentials = NOBODY_ELSE,
    env: Mapping[str, str] | None = None,
) -> None:
    done = subprocess.run(
        command,
        cwd="/",
        env=environment() if env is None else env,
        input=text.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT_S,
        check=False,
        **run_as,
    )
    if done.returncode != 0:
        raise EmbeddedFailed(f"{why}: {done.stdout.decode(errors='replace')[-2000:].strip()}")
