"""Settings said once for all services of a stack: RAZGOVOR_KAFKA_*, RAZGOVOR_SCHEMA_REGISTRY_*, RAZGOVOR_STORE_*.

Each becomes the setting of the same name of every service (INGEST_KAFKA_USERNAME ...), unless that one is said by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

PREFIX: Final = "RAZGOVOR_"
SHARED: Final = ("KAFKA_", "SCHEMA_REGISTRY_", "STORE_")
#: The stack says these itself.
NOT_SHARED: Final = frozenset({"STORE_URL"})


def settings_of_all(environment: Mapping[str, str], services: Iterable[str]) -> dict[str, str]:
    """The variables of the services that follow from the shared ones.

    Args:
        environment: The process's.
        services: Their names.
    """
    shared = {
        name.removeprefix(PREFIX): value
        for name, value in environment.items()
        if name.startswith(tuple(PREFIX + kind for kind in SHARED)) and name.removeprefix(PREFIX) not in NOT_SHARED
    }
    wanted = {f"{service.upper()}_{name}": value for service in services for name, value in shared.items()}
    return {name: value for name, value in wanted.items() if name not in environment}
