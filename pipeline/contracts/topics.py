"""The topics as schemas/topics.yaml names them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import yaml

from pipeline.contracts.events import Value

#: Consumer groups of ours, each of the service of that name.
GROUPS: Final = ("ingest", "transcriber", "exporter", "ledger")


class Topic(Value):
    """A topic of the system.

    Attributes:
        description: What a record says.
        key: What its key holds.
        event: The folder of its schema; None on a DLQ. `schema` in the file.
        version: The schema version that is written.
        partitions: At least so many on a real cluster.
        config: The broker's settings of it: retention, segments, cleanup.
        dlq: Where its readers put aside what they can't handle; None: none of ours reads it, or it is a DLQ.
        dlq_of: On a DLQ, its topic.
        retry_of: On a retry topic, its topic.
        producers: Who writes.
        consumers: Who reads.
    """

    description: str
    key: str
    event: str | None = None
    version: int | None = None
    partitions: int
    config: Mapping[str, str]
    dlq: str | None = None
    dlq_of: str | None = None
    retry_of: str | None = None
    producers: tuple[str, ...]
    consumers: tuple[str, ...]


@cache
def topics() -> Mapping[str, Topic]:
    """Every topic of the system by name, DLQs too."""
    raw = yaml.safe_load(files("schemas").joinpath("topics.yaml").read_text(encoding="utf-8"))
    return MappingProxyType({name: Topic(**_renamed(fields)) for name, fields in raw.items()})


def is_rare(topic: str) -> bool:
    """Whether little comes there: a retry topic or a DLQ."""
    return topics()[topic].retry_of is not None or topics()[topic].dlq_of is not None


def rare_group(service: str) -> str:
    """The group in which a service reads what is rare. Why it is another one: `pipeline.stream.kafka.shares`."""
    return f"{service}.rare"


def group_of(service: str, topic: str) -> str:
    """The group in which a service reads a topic."""
    return rare_group(service) if is_rare(topic) else service


def _renamed(fields: dict[str, object]) -> dict[str, object]:
    return {"event" if name == "schema" else name: value for name, value in fields.items()}


@cache
def names() -> tuple[str, ...]:
    """The names of all topics."""
    return tuple(topics())
