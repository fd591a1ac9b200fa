"""`razgovor webhooks`: what clients were told of ends of their jobs; secrets that it is signed with. Joined by `razgovor.__main__`."""

from __future__ import annotations

import json
import secrets
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from razgovor.commands.clients_access import DatabaseOption, database_of
from razgovor.commands.failures import explained, fail
from razgovor.commands.options import DATA, DataOption, JsonOption, LimitOption
from razgovor.operator import operator
from services.ingest.admin import webhooks_at
from services.ingest.webhooks.deliveries import Delivery, WebhookBook
from services.ingest.webhooks.signing import SECRET_BYTES, secret_text
from services.ingest.webhooks.verdicts import DELIVERED, PENDING, STATUSES

app = typer.Typer(help="Webhooks: what clients were told of ends of their jobs.", no_args_is_help=True)

_LOOK_EVERY_S: Final = 0.2
ClientArgument = Annotated[str, typer.Argument(help="The client's id.", metavar="CLIENT", show_default=False)]
ClientOption = Annotated[str | None, typer.Option(help="Of this client only.")]
StatusOption = Annotated[str | None, typer.Option(help=f"Only those that are {', '.join(STATUSES)}.")]


@contextmanager
def _book(data: Path, database_url: str | None) -> Iterator[WebhookBook]:
    with explained(), webhooks_at(database_of(data, database_url), by=operator()) as book:
        yield book


@app.command("list")
def list_deliveries(
    *,
    client: ClientOption = None,
    status: StatusOption = None,
    limit: LimitOption = 100,
    data: DataOption = DATA,
    database_url: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List messages, the newest first: to whom, of what, and what came of it."""
    if status is not None and status not in STATUSES:
        raise typer.BadParameter(f"one of {', '.join(STATUSES)}", param_hint="--status")
    with _book(data, database_url) as book:
        found = book.page(client, status=status, limit=limit)
    if as_json:
        typer.echo(json.dumps([_row(one) for one in found], indent=2))
        return
    table = Table("id", "client", "type", "job", "status", "attempts", "last answer", "next", box=box.SIMPLE)
    for one in found:
        row = _row(one)
        answer = row["status_code"] or row["fault"] or ""
        shown = (*(row[name] for name in ("webhook_id", "client", "type", "job_id", "status", "attempts")), answer)
        table.add_row(*(str(cell or "") for cell in (*shown, row["next_attempt_at"])))
    Console().print(table)


@app.command("replay")
def replay(
    webhook: Annotated[
        list[str] | None, typer.Argument(help="Ids of messages.", metavar="ID...", show_default=False)
    ] = None,
    *,
    client: Annotated[str | None, typer.Option(help="All of this client with the status --status.")] = None,
    status: StatusOption = None,
    limit: LimitOption = 1000,
    data: DataOption = DATA,
    database_url: DatabaseOption = None,
) -> None:
    """Have messages sent again, with their ids, for another day: those named, or all of a client's with a status."""
    if bool(webhook) == bool(client and status):
        raise typer.BadParameter("name messages, or say --client and --status")
    with _book(data, database_url) as book:
        wanted = webhook or [one.webhook_id for one in book.page(client, status=status, limit=limit)]
        missing = [webhook_id for webhook_id in wanted if book.replay(client, webhook_id) is None]
    typer.echo(f"{len(wanted) - len(missing)} are sent again")
    if missing:
        fail(f"there is no message {', '.join(missing)}")


@app.command("test")
def try_out(
    client: ClientArgument,
    *,
    wait_s: Annotated[float, typer.Option(help="How long to wait for the answer.", min=0, max=600)] = 30.0,
    data: DataOption = DATA,
    database_url: DatabaseOption = None,
) -> None:
    """Send a client's webhook a message that tells of nothing, and say what it answered. Ingest has to run."""
    with _book(data, database_url) as book:
        sent = book.test(client, str(uuid.uuid4()))
        if sent is None:
            fail(f"there is no client {client} with a webhook: razgovor clients set {client} webhook=https://...")
        told = _answered(book, sent, wait_s)
    answer = told.status_code or told.fault or "nobody has sent it yet"
    typer.echo(f"{told.webhook_id}: {told.status}, {answer}")
    if told.status != DELIVERED:
        raise typer.Exit(1)


def _answered(book: WebhookBook, sent: Delivery, wait_s: float) -> Delivery:
    """The delivery after its first attempt, or when the wait is over."""
    ends_s = time.monotonic() + wait_s
    told = sent
    while told.status == PENDING and not (told.fault or told.status_code) and time.monotonic() < ends_s:
        time.sleep(_LOOK_EVERY_S)
        told = book.find(sent.client_id, sent.webhook_id) or told
    return told


@app.command("rotate")
def rotate(client: ClientArgument, *, data: DataOption = DATA, database_url: DatabaseOption = None) -> None:
    """Print a new signing secret. It is shown once. The one before it signs too, until `retire` or the next `rotate`."""
    secret = secret_text(secrets.token_bytes(SECRET_BYTES))
    with _book(data, database_url) as book:
        if not book.rotate(client, secret):
            fail(f"there is no client {client}")
    typer.echo(secret)


@app.command("retire")
def retire(client: ClientArgument, *, data: DataOption = DATA, database_url: DatabaseOption = None) -> None:
    """Sign with the newest secret alone."""
    with _book(data, database_url) as book:
        if not book.retire(client):
            fail(f"there is no client {client}")


def _row(one: Delivery) -> dict[str, Any]:
    waits = one.status == PENDING
    return {
        "webhook_id": one.webhook_id,
        "client": one.client_id,
        "type": one.type,
        "job_id": one.job_id,
        "run": one.run,
        "reason": one.reason,
        "status": one.status,
        "attempts": one.attempts,
        "status_code": one.status_code,
        "fault": one.fault,
        "created_at": one.created_at.isoformat(timespec="seconds"),
        "next_attempt_at": one.due_at.isoformat(timespec="seconds") if waits else None,
    }
