"""What a cluster is asked for beside records: its topics and its access rules, as values, and who asks. `admin` is the real one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as a cluster has it.

    Attributes:
        partitions: How many.
        replicas: Copies of each, ourselves counted; the fewest of any partition.
        config: All its settings, defaults too.
    """

    partitions: int
    replicas: int
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """One thing that one user may do.

    Attributes:
        user: The name that the brokers know: SCRAM's user.
        resource: `topic`, `group` or `cluster`.
        name: The resource's name, or the prefix of names.
        operation: `read`, `write`, `describe`, ...
        prefixed: Whether `name` is a prefix.
    """

    user: str
    resource: str
    name: str
    operation: str
    prefixed: bool = False


class ClusterAdmin(Protocol):
    """Asks and changes a cluster. Every method raises Transient when the brokers do not answer, Fatal when they refuse."""

    def brokers(self) -> int:
        """How many brokers there are."""

    def topics(self, names: Collection[str]) -> dict[str, TopicState]:
        """Those of the topics that exist."""

    def create(self, name: str, state: TopicState) -> None:
        """Make a topic."""

    def grow(self, name: str, partitions: int) -> None:
        """Have more partitions, so many in all."""

    def configure(self, name: str, config: Mapping[str, str]) -> None:
        """Set these settings and leave the others as they are."""

    def acls(self, users: Collection[str]) -> set[Acl]:
        """What these users are allowed, from any host."""

    def allow(self, acls: Sequence[Acl]) -> None:
        """Allow more."""

    def close(self) -> None:
        """Let go."""
