"""What the folder of a running `razgovor up` tells a command that did not start it: where its servers are."""

from __future__ import annotations

import json

from pipeline.errors import Fatal
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres_access import DatabaseUrls, database_urls
from razgovor.stack.layout import StackFolder
from razgovor.stack.specs import BROKER, INGEST, address_of


def running_database(folder: StackFolder, *, or_set: str) -> DatabaseUrls:
    """The stack's database, as each role reaches it.

    Args:
        folder: The stack's.
        or_set: The variable that names a database elsewhere, for the error's text.

    Raises:
        Fatal: The folder tells of none.
    """
    try:
        return database_urls(folder.postgres)
    except EmbeddedFailed as error:
        raise Fatal(f"{error}; name the folder of a running `razgovor up` with --data, or set {or_set}") from error


def running_broker(folder: StackFolder) -> str | None:
    """The address of the stack's broker; None: the folder tells of none."""
    try:
        return address_of(json.loads(folder.status_file(BROKER).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError):
        return None


def running_page(folder: StackFolder) -> str:
    """Where the stack's page is: http://host:port.

    Raises:
        Fatal: The folder tells of none.
    """
    try:
        return f"http://{address_of(json.loads(folder.status_file(INGEST).read_text(encoding='utf-8')))}"
    except (OSError, ValueError, KeyError) as error:
        raise Fatal(
            f"no razgovor runs in {folder.root}; name its folder with --data, or give the page's --url"
        ) from error
