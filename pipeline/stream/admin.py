"""A cluster's topics and access rules by confluent-kafka's AdminClient. Its errors become ours here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeVar, cast

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported, and not said so
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka.client import Watch, answer, base, made, ours
from pipeline.stream.topology import Acl, TopicState

_TIMEOUT_S: Final = 30.0
_USER: Final = "User:"
#: The one name that a cluster has.
CLUSTER: Final = "kafka-cluster"
_RESOURCES: Final = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "cluster": ResourceType.BROKER}

ResultT = TypeVar("ResultT")


class KafkaAdmin:
    """See `topology.ClusterAdmin`."""

    def __init__(self, connection: KafkaConnection) -> None:
        """Connects by itself.

        Raises:
            Fatal: The settings cannot be used.
        """
        self._watch = Watch()
        settings = base(connection, self._watch)
        self._client = made(lambda: AdminClient(settings))

    def brokers(self) -> int:
        """See `ClusterAdmin.brokers`."""
        return len(answer(self._client, self._watch).brokers)

    def topics(self, names: Collection[str]) -> dict[str, TopicState]:
        """See `ClusterAdmin.topics`."""
        there = answer(self._client, self._watch).topics
        found = {name: there[name].partitions.values() for name in names if name in there and there[name].error is None}
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in found]
        configs = self._client.describe_configs(resources) if resources else {}
        return {
            resource.name: TopicState(
                partitions=len(found[resource.name]),
                replicas=min(len(partition.replicas) for partition in found[resource.name]),
                config={name: str(entry.value) for name, entry in _result(future).items()},
            )
            for resource, future in configs.items()
        }

    def create(self, name: str, state: TopicState) -> None:
        """See `ClusterAdmin.create`."""
        topic = NewTopic(name, state.partitions, state.replicas, config=dict(state.config))
        _all(self._client.create_topics([topic]))

    def grow(self, name: str, partitions: int) -> None:
        """See `ClusterAdmin.grow`."""
        _all(self._client.create_partitions([NewPartitions(name, partitions)]))

    def configure(self, name: str, config: Mapping[str, str]) -> None:
        """See `ClusterAdmin.configure`."""
        entries = [
            ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
            for setting, value in config.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
        _all(self._client.incremental_alter_configs([resource]))

    def acls(self, users: Collection[str]) -> set[Acl]:
        """See `ClusterAdmin.acls`."""
        answer(self._client, self._watch)  # refused credentials are told here, not after a time-out
        found = (binding for user in users for binding in _result(self._client.describe_acls(_all_of(user))))
        return {_ported(binding) for binding in found}

    def allow(self, acls: Sequence[Acl]) -> None:
        """See `ClusterAdmin.allow`."""
        if acls:
            _all(self._client.create_acls([_theirs(acl) for acl in acls]))

    def close(self) -> None:
        """See `ClusterAdmin.close`."""
        self._client.poll(0.0)


def _result(future: Future[ResultT]) -> ResultT:
    try:
        return future.result(_TIMEOUT_S)
    except KafkaException as error:
        raise ours(error.args[0]) from error


def _all(futures: Mapping[Any, Future[Any]]) -> None:
    for future in futures.values():
        _result(future)


def _all_of(user: str) -> AclBindingFilter:
    anything = cast("str", None)  # their signature says str; None is any
    return AclBindingFilter(
        ResourceType.ANY,
        anything,
        ResourcePatternType.ANY,
        _USER + user,
        anything,
        AclOperation.ANY,
        AclPermissionType.ALLOW,
    )


def _theirs(acl: Acl) -> AclBinding:
    return AclBinding(
        _RESOURCES[acl.resource],
        acl.name,
        ResourcePatternType.PREFIXED if acl.prefixed else ResourcePatternType.LITERAL,
        _USER + acl.user,
        "*",
        AclOperation[acl.operation.upper()],
        AclPermissionType.ALLOW,
    )


def _ported(binding: AclBinding) -> Acl:
    kind = ResourceType(binding.restype)
    return Acl(
        user=str(binding.principal).removeprefix(_USER),
        resource=next((name for name, known in _RESOURCES.items() if known == kind), kind.name.lower()),
        name=str(binding.name),
        operation=AclOperation(binding.operation).name.lower(),
        prefixed=binding.resource_pattern_type == ResourcePatternType.PREFIXED,
    )
