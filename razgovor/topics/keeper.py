"""Holds a cluster and its registry against the files, and mends what can be mended. Called by `razgovor topics`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from pipeline.contracts import codec
from pipeline.contracts.codec import Schema
from pipeline.contracts.topics import Topic, topics
from pipeline.stream.schema_registry import SchemaRegistrar, subject_of
from pipeline.stream.topology import Acl, ClusterAdmin, TopicState
from razgovor.topics.acl_file import AclFile, acl_differences
from razgovor.topics.plan import ABSENT, Difference, differences, wanted_state

_SETTLE_S: Final = 15.0
_SETTLE_STEP_S: Final = 0.2


class Keeper:
    """Checks and applies.

    Args:
        admin: The cluster.
        registry: Its schema registry; None: there is none.
        acls: The access rules; None: they are somebody else's.
        partitions: In place of the file's, for small clusters.
    """

    def __init__(
        self,
        admin: ClusterAdmin,
        registry: SchemaRegistrar | None = None,
        acls: AclFile | None = None,
        partitions: int | None = None,
    ) -> None:
        self._admin = admin
        self._registry = registry
        self._acls = acls
        self._partitions = partitions

    def check(self) -> list[Difference]:
        """Everything that is not as it should be.

        Raises:
            Transient: Somebody does not answer.
            Fatal: Somebody refuses us.
        """
        return [*self._topics(), *self._access(), *self._schemas()]

    def apply(self) -> list[Difference]:
        """Mend what can be mended.

        Returns:
            What is still not as it should be.

        Raises:
            Transient: Somebody does not answer.
            Fatal: Somebody refuses us.
        """
        self._apply_topics()
        if self._acls is not None:
            found = self._admin.acls(self._acls.users)
            self._admin.allow(sorted(self._acls.acls - found))
        if self._registry is not None:
            for topic, schema in released():
                self._registry.register(subject_of(topic), schema.text)
        return self._settled()

    def _settled(self) -> list[Difference]:
        # What the controller has taken reaches the brokers a moment later.
        give_up_s = time.monotonic() + _SETTLE_S
        while True:
            left = self.check()
            if all(one.by_hand for one in left) or time.monotonic() >= give_up_s:
                return left
            time.sleep(_SETTLE_STEP_S)

    def _wanted_and_found(self) -> Iterator[tuple[str, TopicState, TopicState | None]]:
        brokers, there = self._admin.brokers(), self._admin.topics(topics())
        for name, topic in topics().items():
            found = there.get(name)
            replicas = None if found is None else found.replicas
            yield name, wanted_state(topic, brokers, replicas, self._partitions), found

    def _topics(self) -> list[Difference]:
        return [one for wanted in self._wanted_and_found() for one in differences(*wanted)]

    def _apply_topics(self) -> None:
        for name, wanted, found in self._wanted_and_found():
            if found is None:
                self._admin.create(name, wanted)
                continue
            if found.partitions < wanted.partitions:
                self._admin.grow(name, wanted.partitions)
            unlike = {setting: value for setting, value in wanted.config.items() if found.config.get(setting) != value}
            if unlike:
                self._admin.configure(name, unlike)

    def _access(self) -> list[Difference]:
        if self._acls is None:
            return []
        found: set[Acl] = self._admin.acls(self._acls.users)
        return acl_differences(self._acls, found)

    def _schemas(self) -> list[Difference]:
        if self._registry is None:
            return []
        unlike: list[Difference] = []
        for topic, schema in released():
            subject = subject_of(topic)
            if self._registry.id_of(subject, schema.text) is None:
                unlike.append(Difference(subject, f"{schema.event} v{schema.version}", ABSENT, "registered"))
            elif not self._registry.guarded(subject):
                unlike.append(Difference(subject, "compatibility", "another", "FULL_TRANSITIVE"))
        return unlike


def released() -> list[tuple[str, Schema]]:
    """Every schema that may stand on a topic, oldest version first."""
    schemas = sorted(codec.released_schemas().values(), key=lambda one: one.version)
    return [(name, schema) for name, topic in topics().items() for schema in schemas if _is_of(topic, schema)]


def _is_of(topic: Topic, schema: Schema) -> bool:
    return schema.event == topic.event
