"""`razgovor topics apply|check`: a cluster as schemas/topics.yaml wants it. Joined by `razgovor.__main__`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from pipeline import service
from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.registry import ConfluentRegistry
from razgovor.commands.failures import explained
from razgovor.topics.acl_file import read_acls
from razgovor.topics.keeper import Keeper
from razgovor.topics.plan import Difference
from razgovor.topics.settings import TopicSettings

_WIDE: Final = 200  # what reads our output by a pipe breaks no lines
app = typer.Typer(
    help="Topics, access rules and schemas of a Kafka cluster. Settings: RAZGOVOR_KAFKA_*, RAZGOVOR_SCHEMA_REGISTRY_*.",
    no_args_is_help=True,
)
ServersOption = Annotated[
    str | None, typer.Option(help="Kafka's addresses, host:port, comma separated.", envvar="RAZGOVOR_BOOTSTRAP_SERVERS")
]
RegistryOption = Annotated[
    str | None, typer.Option(help="The schema registry's Confluent API.", envvar="RAZGOVOR_SCHEMA_REGISTRY_URL")
]
AclsOption = Annotated[
    Path | None, typer.Option(help="A file of access rules, such as compose/kafka/acls.yaml; none: not looked at.")
]
PartitionsOption = Annotated[
    int | None, typer.Option(min=1, max=10_000, help="At least so many, in place of what topics.yaml says.")
]


@app.command("apply")
def apply_command(
    *,
    bootstrap_servers: ServersOption = None,
    schema_registry_url: RegistryOption = None,
    acls: AclsOption = None,
    partitions: PartitionsOption = None,
) -> None:
    """Make what is missing, correct what differs. Nothing is deleted, nothing shrinks."""
    with _keeper(bootstrap_servers, schema_registry_url, acls, partitions) as keeper:
        _told(keeper.apply())


@app.command("check")
def check_command(
    *,
    bootstrap_servers: ServersOption = None,
    schema_registry_url: RegistryOption = None,
    acls: AclsOption = None,
    partitions: PartitionsOption = None,
) -> None:
    """Change nothing; show what is not as it should be, and exit with 1 if there is anything."""
    with _keeper(bootstrap_servers, schema_registry_url, acls, partitions) as keeper:
        _told(keeper.check())


@contextmanager
def _keeper(
    servers: str | None, registry_url: str | None, acls: Path | None, partitions: int | None
) -> Iterator[Keeper]:
    said = {"bootstrap_servers": servers, "schema_registry_url": registry_url}
    logging.getLogger("librdkafka").setLevel(logging.CRITICAL)  # what it says is said again by our error, once
    settings = service.load(TopicSettings, **{name: value for name, value in said.items() if value})
    with explained(service.EXIT_FATAL), ExitStack() as opened:
        rules = None if acls is None else read_acls(acls)
        registry = None if settings.registry is None else ConfluentRegistry(settings.registry)
        if registry is not None:
            opened.callback(registry.close)
        yield Keeper(KafkaAdmin(settings.kafka), registry, rules, partitions)


def _told(left: list[Difference]) -> None:
    if not left:
        typer.echo("all is as it should be")
        return
    table = Table("where", "what", "is", "should be", "by hand", box=box.SIMPLE)
    for one in left:
        table.add_row(one.subject, one.what, one.found, one.wanted, one.by_hand or "")
    console = Console()
    (console if console.is_terminal else Console(width=_WIDE)).print(table)
    typer.echo(f"{len(left)} differences. `razgovor topics apply` mends those that are not to be mended by hand.")
    raise typer.Exit(1)
