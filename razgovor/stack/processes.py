"""Which processes make a stack, and what each is told: command lines and environments, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from razgovor.embedded.owned_process import OwnedProcess, module_command
from razgovor.embedded.postgres import keeper_command
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.stack.layout import StackFolder

BROKER: Final = "broker"
POSTGRES: Final = "postgres"
LEDGER: Final = "ledger"
INGEST: Final = "ingest"
TRANSCRIBER: Final = "transcriber"
EXPORTER: Final = "exporter"

#: What the services stand on.
PEERS: Final = (BROKER, POSTGRES)
#: The ledger first: its views are what ingest reads.
SERVICES: Final = (LEDGER, INGEST, TRANSCRIBER, EXPORTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a stack is told.

    Attributes:
        model: A model of the catalogue that is in the cache, or a folder.
        model_cache: Where models lie.
        port: Of ingest on loopback; 0: any free one.
    """

    model: str
    model_cache: Path
    port: int = 0


def peer(name: str, folder: StackFolder) -> OwnedProcess:
    """The broker or the database."""
    status_file = folder.status_file(name)
    commands = {
        BROKER: module_command("razgovor.embedded.broker", "--status-file", str(status_file)),
        POSTGRES: keeper_command(folder.database, status_file),
    }
    return OwnedProcess(name=name, command=commands[name], log=folder.log(name), status_file=status_file)


def service(name: str, folder: StackFolder, options: Options, address: str, urls: DatabaseUrls) -> OwnedProcess:
    """One of the four services."""
    prefix = name.upper()
    own: Mapping[str, Mapping[str, str]] = {
        LEDGER: {"DATABASE_URL": urls.ledger},
        INGEST: {"DATABASE_URL": urls.ingest, "HOST": "127.0.0.1", "PORT": str(options.port)},
        TRANSCRIBER: {
            "MODEL": options.model,
            "MODEL_CACHE_DIR": str(options.model_cache),
            "SCRATCH_DIR": str(folder.scratch),
        },
        EXPORTER: {},
    }
    told = {
        "BOOTSTRAP_SERVERS": address,
        "STORE_URL": folder.store.absolute().as_uri(),
        "STATUS_FILE": str(folder.status_file(name)),
        "STOP_WITH_PARENT": "true",
        **own[name],
    }
    return OwnedProcess(
        name=name,
        command=module_command(f"services.{name}"),
        log=folder.log(name),
        status_file=folder.status_file(name),
        environment={f"{prefix}_{key}": value for key, value in told.items()},
    )
