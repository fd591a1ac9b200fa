"""How the commands about clients and keys reach ingest's database: by its address, or by the folder of `razgovor up`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from pipeline.errors import RazgovorError
from razgovor.commands.failures import fail
from razgovor.operator import operator
from razgovor.stack.layout import StackFolder
from razgovor.stack.running import running_database
from services.ingest.admin import audit_log_at, clients_at
from services.ingest.audit_log import AuditLog
from services.ingest.ports import Clients

_VARIABLE: Final = "INGEST_DATABASE_URL"
DatabaseOption = Annotated[
    str | None,
    typer.Option(envvar=_VARIABLE, help="A database elsewhere, as ingest's role.", show_default=False),
]


def database_of(data: Path, database_url: str | None) -> str:
    """Where ingest's database is.

    Raises:
        RazgovorError: No stack runs in this folder.
    """
    return database_url or running_database(StackFolder(data.absolute()), or_set=_VARIABLE).ingest


@contextmanager
def clients_of(data: Path, database_url: str | None) -> Iterator[Clients]:
    """Clients and keys; a wrong setting or a peer that does not answer ends the command with its text."""
    try:
        with clients_at(database_of(data, database_url), by=operator()) as clients:
            yield clients
    except (RazgovorError, ValueError) as error:
        fail(str(error), cause=error)


@contextmanager
def audit_log_of(data: Path, database_url: str | None) -> Iterator[AuditLog]:
    """The audit log; see `clients_of`."""
    try:
        with audit_log_at(database_of(data, database_url)) as log:
            yield log
    except (RazgovorError, ValueError) as error:
        fail(str(error), cause=error)
