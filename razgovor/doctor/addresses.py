"""Which peers this machine's settings name. None named: the one-machine stack brings its own. Read by `examination`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_SERVICES: Final = ("INGEST", "TRANSCRIBER", "EXPORTER", "LEDGER")
#: What `razgovor models`, the demo and `transcribe` take.
_MODEL_VARIABLES: Final = ("RAZGOVOR_MODEL", "TRANSCRIBER_MODEL")
_DEFAULT_MODEL: Final = "base"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Distinct addresses in the settings of the services, each with the variables that name it."""

    brokers: Mapping[str, tuple[str, ...]]
    databases: Mapping[str, tuple[str, ...]]
    stores: Mapping[str, tuple[str, ...]]
    model: str


def read_addresses(environment: Mapping[str, str]) -> Addresses:
    """Collect them from the services' environment variables, and DATABASE_URL."""
    return Addresses(
        brokers=_collect(environment, _variables("BOOTSTRAP_SERVERS")),
        databases=_collect(environment, ("DATABASE_URL", *_variables("DATABASE_URL"))),
        stores=_collect(environment, _variables("STORE_URL")),
        model=next((environment[name] for name in _MODEL_VARIABLES if environment.get(name)), _DEFAULT_MODEL),
    )


def _variables(setting: str) -> tuple[str, ...]:
    return tuple(f"{service}_{setting}" for service in _SERVICES)


def _collect(environment: Mapping[str, str], variables: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for variable in variables:
        value = environment.get(variable)
        if value:
            found[value] = (*found.get(value, ()), variable)
    return found
