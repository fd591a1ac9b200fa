"""`razgovor keys`: API keys of clients. A secret is shown once, when its key is made. Joined by `razgovor.__main__`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from pipeline.errors import RazgovorError
from razgovor.commands.clients_access import DatabaseOption, clients_of, database_of
from razgovor.commands.durations import duration
from razgovor.commands.failures import fail
from razgovor.commands.options import DATA, DataOption, JsonOption
from razgovor.operator import operator
from razgovor.stack.layout import StackFolder
from razgovor.stack.running import running_page
from services.ingest import scopes
from services.ingest.admin import add_key, new_key, rotate_key
from services.ingest.clients import Client, KeyFacts
from services.ingest.page_links import link_at

app = typer.Typer(help="API keys of clients.", no_args_is_help=True)

_AT_ONCE = timedelta(0)
KeyArgument = Annotated[
    str, typer.Argument(help="The key's id: its second part, 12 digits.", metavar="KEY_ID", show_default=False)
]


def _lasting(text: str) -> timedelta:
    lasts = duration(text)
    if lasts is None:
        raise typer.BadParameter("90s, 15m, 2h or 30d")
    return lasts


@app.callback()
def root() -> None:
    """API keys of clients."""


@app.command("create")
def create(
    *,
    client: Annotated[str, typer.Option(help="The client's id; made if there is none.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What the key may do: submit, read, admin. Several times; else submit and read."),
    ] = None,
    expires_in: Annotated[
        timedelta | None,
        typer.Option(help="It stops to work after this: 12h, 90d.", parser=_lasting, show_default=False),
    ] = None,
    data: DataOption = DATA,
    database_url: DatabaseOption = None,
) -> None:
    """Print a new key. It is shown once; only its hash is kept."""
    with clients_of(data, database_url) as clients:
        owner = Client(client_id=client, name=client)
        typer.echo(add_key(clients, owner, *new_key(), scope or scopes.USUAL, lasts=expires_in))


@app.command("link")
def link(
    *,
    client: Annotated[str, typer.Option(help="The client's id; made if there is none.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What whoever opens it may do: submit, read, admin. Several times; else submit and read."),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="The page's address; else that of the running `razgovor up`.", show_default=False),
    ] = None,
    data: DataOption = DATA,
    database_url: DatabaseOption = None,
) -> None:
    """Print a link that signs in to the page once, within 15 minutes, for 12 hours."""
    owner = Client(client_id=client, name=client)
    try:
        address = url or running_page(StackFolder(data.absolute()))
        typer.echo(link_at(database_of(data, database_url), owner, address, scope or scopes.USUAL, by=operator()))
    except (RazgovorError, ValueError) as error:
        fail(str(error), cause=error)


@app.command("list")
def list_keys(
    *,
    client: Annotated[str | None, typer.Option(help="Of this client only.")] = None,
    data: DataOption = DATA,
    database_url: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List keys: what they may do, since when and until when. Secrets are not known."""
    with clients_of(data, database_url) as clients:
        found = clients.keys(client)
    rows = [_row(facts, datetime.now(UTC)) for facts in found]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("key", "client", "scopes", "created", "ends", "", box=box.SIMPLE)
    for row in rows:
        table.add_row(*(str(cell or "") for cell in row.values()))
    Console().print(table)


@app.command("rotate")
def rotate(
    key: KeyArgument,
    *,
    overlap: Annotated[
        timedelta, typer.Option(help="The old key works on for this long: 24h.", parser=_lasting, show_default="0s")
    ] = _AT_ONCE,
    data: DataOption = DATA,
    database_url: DatabaseOption = None,
) -> None:
    """Print a new key in place of this one, with the same scopes. It is shown once."""
    with clients_of(data, database_url) as clients:
        text = rotate_key(clients, key, *new_key(), overlap)
    if text is None:
        fail(f"there is no key {key} that works")
    typer.echo(text)


@app.command("revoke")
def revoke(key: KeyArgument, *, data: DataOption = DATA, database_url: DatabaseOption = None) -> None:
    """Have a key open nothing any more, from a second on."""
    with clients_of(data, database_url) as clients:
        if not clients.revoke_key(key):
            fail(f"there is no key {key}")


def _row(facts: KeyFacts, now: datetime) -> dict[str, str | None]:
    ends = facts.revoked_at or facts.expires_at
    return {
        "key_id": facts.key_id,
        "client": facts.client_id,
        "scopes": ",".join(scope for scope in scopes.SCOPES if scope in facts.scopes),
        "created_at": facts.created_at.isoformat(timespec="seconds"),
        "ends_at": None if ends is None else ends.isoformat(timespec="seconds"),
        "state": "works" if facts.works(now) else "revoked" if facts.revoked_at else "expired",
    }
