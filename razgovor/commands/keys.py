"""`razgovor keys create`: an API key for a client."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import RazgovorError
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres_access import database_urls
from razgovor.stack.layout import StackFolder
from services.ingest.admin import create_key
from services.ingest.clients import Client

app = typer.Typer(help="API keys of clients.", no_args_is_help=True)


@app.callback()
def root() -> None:
    """API keys of clients."""


@app.command("create")
def create(
    *,
    client: Annotated[str, typer.Option(help="The client's id; made if there is none.")],
    data: Annotated[Path, typer.Option(help="The folder of a running `razgovor up`.")] = Path("razgovor-data"),
    database_url: Annotated[
        str | None, typer.Option(envvar="INGEST_DATABASE_URL", help="A database elsewhere, as ingest's role.")
    ] = None,
) -> None:
    """Print a new key. It is shown once; only its hash is kept."""
    try:
        url = database_url or database_urls(StackFolder(data.absolute()).postgres).ingest
        typer.echo(create_key(url, Client(client_id=client, name=client)))
    except (EmbeddedFailed, RazgovorError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
