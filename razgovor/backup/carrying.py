"""Backs a stack up into a folder, and brings a new one to life from it. Called by `razgovor backup` and `razgovor restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from razgovor.backup import database
from razgovor.backup.store_copy import copy_store
from razgovor.embedded.account import server_account
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres import EmbeddedPostgres
from razgovor.embedded.postgres_access import database_urls
from razgovor.embedded.postgres_place import FALLBACK_ROOT, PRIVATE, home_mode, make_folder
from razgovor.stack.layout import StackFolder

DUMP: Final = "database.dump"
STORE: Final = "store"


def back_up(data: Path, out: Path) -> int:
    """Back up a running stack. A folder of an earlier backup is brought up to date. How many objects were copied.

    Args:
        data: The folder of a running `razgovor up`.
        out: Made if absent, 0700.

    Raises:
        EmbeddedFailed: Its database does not run, or can't be dumped.
    """
    folder = StackFolder(data.absolute())
    url = database_urls(folder.postgres).admin
    if not url:
        raise EmbeddedFailed("the stack was told its services' databases only: dump as docs/operations.md says")
    make_folder(out, PRIVATE)
    database.dump(url, out / DUMP)  # first: see the package's docstring
    return copy_store(folder.store, out / STORE)


def bring_back(backup: Path, data: Path, *, fallback_root: Path = FALLBACK_ROOT) -> None:
    """Make the folder of a new stack out of a backup; `razgovor up --data` starts it.

    Args:
        backup: What `back_up` made.
        data: Must not hold a database yet.
        fallback_root: See `EmbeddedPostgres`.

    Raises:
        EmbeddedFailed: No backup lies there, or there is a database already, or it can't be restored.
    """
    folder = StackFolder(data.absolute())
    if not (backup / DUMP).is_file():
        raise EmbeddedFailed(f"{backup / DUMP} is not there")
    if folder.postgres.exists():
        raise EmbeddedFailed(f"{folder.postgres} is there already: restore into a new folder")
    make_folder(folder.root, home_mode(server_account()))
    copy_store(backup / STORE, folder.store)
    with EmbeddedPostgres(folder.postgres, fallback_root=fallback_root) as postgres:
        database.restore(postgres.urls().admin, backup / DUMP)
