"""The access rules of a deployment, from a YAML file such as compose/kafka/acls.yaml."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import TypeAdapter, ValidationError

from pipeline.contracts.events import Value
from pipeline.errors import Fatal
from pipeline.stream.admin import CLUSTER
from pipeline.stream.topology import Acl
from razgovor.topics.plan import ABSENT, Difference

_FILE_BYTES_MAX: Final = 1_000_000
_ANY: Final = "*"


class Rule(Value):
    """What a user may do with some resources. `names` are prefixes where `prefixed`; a cluster has no name."""

    resource: Literal["topic", "group", "cluster"]
    names: tuple[str, ...] = (CLUSTER,)
    prefixed: bool = False
    operations: tuple[
        Literal[
            "read",
            "write",
            "create",
            "delete",
            "alter",
            "describe",
            "alter_configs",
            "describe_configs",
            "cluster_action",
            "idempotent_write",
        ],
        ...,
    ]


_RULES: Final = TypeAdapter(dict[str, tuple[Rule, ...]])


class AclFile:
    """Rules by user."""

    def __init__(self, rules: dict[str, tuple[Rule, ...]]) -> None:
        self.users = tuple(rules)
        self.acls = frozenset(acl for user, given in rules.items() for rule in given for acl in _acls(user, rule))


def read_acls(path: Path) -> AclFile:
    """The rules of a file.

    Raises:
        Fatal: It can't be read, or is no such file.
    """
    try:
        with path.open("rb") as file:
            raw: Any = yaml.safe_load(file.read(_FILE_BYTES_MAX))
        return AclFile(_RULES.validate_python(raw))
    except OSError as error:
        raise Fatal(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValidationError) as error:
        raise Fatal(f"{path} is no file of access rules") from error


def acl_differences(wanted: AclFile, found: Iterable[Acl]) -> list[Difference]:
    """Rights that the users lack, and rights that they have beyond the file."""
    there = set(found)
    lacking = [Difference(acl.user, shown(acl), ABSENT, "allowed") for acl in sorted(wanted.acls - there)]
    by_hand = "take it away with Kafka's kafka-acls --remove, or add it to the file"
    beyond = [Difference(acl.user, shown(acl), "allowed", ABSENT, by_hand) for acl in sorted(there - wanted.acls)]
    return lacking + beyond


def shown(acl: Acl) -> str:
    """A right in a few words: `write topic audio.uploaded`."""
    return f"{acl.operation} {acl.resource} {acl.name}{_ANY if acl.prefixed else ''}"


def _acls(user: str, rule: Rule) -> Iterable[Acl]:
    for name in rule.names:
        for operation in rule.operations:
            yield Acl(user, rule.resource, name, operation, rule.prefixed)
