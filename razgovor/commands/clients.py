"""`razgovor clients`: tenants, their defaults and limits. Joined by `razgovor.__main__`."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from pipeline.outbound import Allowed
from razgovor.commands.client_settings import SETTINGS, parsed, shown
from razgovor.commands.clients_access import DatabaseOption, clients_of
from razgovor.commands.failures import fail
from razgovor.commands.options import DATA, DataOption, JsonOption
from services.ingest.admin import change_client, create_client
from services.ingest.clients import Client
from services.ingest.settings import ReachSettings

app = typer.Typer(help="Clients: their defaults and limits.", no_args_is_help=True)

ClientArgument = Annotated[str, typer.Argument(help="The client's id.", metavar="CLIENT", show_default=False)]
_EXPLAINED = "; ".join(f"{name} ({setting.means})" for name, setting in SETTINGS.items())
SettingsArgument = Annotated[
    list[str] | None,
    typer.Argument(help=f"NAME=VALUE, `none` for no limit: {_EXPLAINED}.", metavar="SETTING...", show_default=False),
]


@app.command("create")
def create(
    client: ClientArgument,
    settings: SettingsArgument = None,
    *,
    data: DataOption = DATA,
    database_url: DatabaseOption = None,
) -> None:
    """Make a client. It gets keys by `razgovor keys create`."""
    with clients_of(data, database_url) as clients:
        wanted = parsed(settings or [])(Client(client_id=client, name=client))
        if not create_client(clients, wanted, _reach()):
            fail(f"there is a client {client}")
    _present(wanted, as_json=False)


@app.command("set")
def change(
    client: ClientArgument,
    settings: SettingsArgument = None,
    *,
    data: DataOption = DATA,
    database_url: DatabaseOption = None,
) -> None:
    """Change settings of a client. It holds for what is submitted a second from now."""
    with clients_of(data, database_url) as clients:
        found = change_client(clients, client, parsed(settings or []), _reach())
    _present(_found(found, client), as_json=False)


@app.command("show")
def show(
    client: ClientArgument, *, data: DataOption = DATA, database_url: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Show a client's settings, as `set` takes them."""
    with clients_of(data, database_url) as clients:
        found = clients.fetch(client)
    _present(_found(found, client), as_json=as_json)


@app.command("list")
def list_clients(*, data: DataOption = DATA, database_url: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List all clients with their limits."""
    with clients_of(data, database_url) as clients:
        found = clients.all()
    if as_json:
        rows = [{"client": client.client_id, **shown(client)} for client in found]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    limits = ("daily_minutes", "monthly_minutes", "concurrent_jobs", "requests_per_minute", "priority_ceiling")
    table = Table("client", "name", *limits, box=box.SIMPLE)
    for client in found:
        told = shown(client)
        table.add_row(client.client_id, client.name, *(told[name] for name in limits))
    Console().print(table)


def _reach() -> Allowed:
    return ReachSettings().outbound_allowed


def _found(client: Client | None, client_id: str) -> Client:
    if client is None:
        fail(f"there is no client {client_id}")
    return client


def _present(client: Client, *, as_json: bool) -> None:
    if as_json:
        told = {"client": client.client_id, **shown(client)}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    table = Table("setting", "", "means", box=box.SIMPLE)
    for name, text in shown(client).items():
        table.add_row(name, text, f"[dim]{SETTINGS[name].means}[/dim]")
    Console().print(f"client {client.client_id}", highlight=False)
    Console().print(table)
