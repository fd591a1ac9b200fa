"""How the doctor really asks broker, database and store; `peers` takes these as callables, tests take others."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from pipeline.blobs.folder import FolderStore
from pipeline.errors import RazgovorError
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaProducer
from razgovor.embedded.account import server_account
from razgovor.embedded.postgres import EmbeddedPostgres
from razgovor.embedded.postgres_place import home_mode, installed_wheel, remove_database

_CONNECT_TIMEOUT_S: Final = 5
_SCHEMES: Final = ("postgresql", "postgres")


class PeerFailed(RazgovorError):
    """A peer does not answer as it should; the text holds no address and no password."""


def ask_broker(bootstrap_servers: str) -> str:
    """Ask a broker for its topics.

    Raises:
        RazgovorError: It does not answer, or does not let us in.
    """
    producer = KafkaProducer(KafkaConnection(bootstrap_servers=bootstrap_servers))
    try:
        producer.verify()
    finally:
        producer.close()
    return "answers"


def ask_mock_broker() -> str:
    """The mock lies in librdkafka, which importing this module has loaded."""
    return "librdkafka loads"


def ask_store(folder: str) -> str:
    """Write, read and delete a test object.

    Raises:
        RazgovorError: We may not.
    """
    FolderStore(Path(folder)).verify()
    return f"{folder} takes a test write"


def ask_folder(folder: str) -> str:
    """Write a file that has no name and is gone at once.

    Raises:
        OSError: We may not.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"razgovor")
        file.flush()
    return f"{folder} can be written"


def ask_embedded_database() -> str:
    """Make a database in a temporary folder, start it, stop it: nothing else proves that it would run.

    Raises:
        RazgovorError: It does not.
    """
    with tempfile.TemporaryDirectory(prefix="razgovor-doctor-") as scratch:
        Path(scratch).chmod(home_mode(server_account()))
        home = Path(scratch) / "database"
        server = EmbeddedPostgres(home)
        try:
            server.start()
        finally:
            server.stop()
            remove_database(home)
    return f"wheel {installed_wheel().version}"


def ask_database(url: str) -> str:
    """Log in and select, with the psql of the embedded database's wheel. The password goes by environment, not by command line.

    Raises:
        RazgovorError: It does not answer, or does not let us in.
    """
    command = [str(installed_wheel().program("psql")), "--no-psqlrc", "--no-password", "--tuples-only", "--no-align"]
    try:
        done = subprocess.run(
            [*command, "--command", "show server_version"],
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", **libpq_environment(url)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=4 * _CONNECT_TIMEOUT_S,
            check=False,
            text=True,
        )
    except subprocess.TimeoutExpired as error:
        raise PeerFailed("no answer") from error
    if done.returncode:
        raise PeerFailed(_why(done.stderr))
    return f"PostgreSQL {done.stdout.split()[0]}"


def libpq_environment(url: str) -> dict[str, str]:
    """A database URL as the variables that PostgreSQL's own programs read.

    Raises:
        PeerFailed: It is none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise PeerFailed("not a database URL") from error
    if parts.scheme not in _SCHEMES:
        raise PeerFailed("not a postgresql:// URL")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    chosen = {
        "PGHOST": query.get("host") or unquote(parts.hostname or ""),
        "PGPORT": query.get("port") or str(port or ""),
        "PGUSER": query.get("user") or unquote(parts.username or ""),
        "PGPASSWORD": query.get("password") or unquote(parts.password or ""),
        "PGDATABASE": query.get("dbname") or unquote(parts.path.removeprefix("/")),
        "PGSSLMODE": query.get("sslmode", ""),
        "PGSSLROOTCERT": query.get("sslrootcert", ""),
        "PGCONNECT_TIMEOUT": str(_CONNECT_TIMEOUT_S),
    }
    return {name: value for name, value in chosen.items() if value}


def _why(psql_says: str) -> str:
    """The part of psql's complaint that names no address: PostgreSQL's own words stand last."""
    last = next((line for line in reversed(psql_says.splitlines()) if "FATAL" in line or "failed" in line), "")
    return last.rpartition(": ")[2] or "psql could not connect"
