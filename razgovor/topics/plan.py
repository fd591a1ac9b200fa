"""What a topic should be on a cluster of this size, and where it is not so. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipeline.contracts.topics import Topic
from pipeline.stream.topology import TopicState

MIN_INSYNC: Final = "min.insync.replicas"
_REPLICAS: Final = 3
ABSENT: Final = "absent"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be.

    Attributes:
        subject: A topic, a user, a subject of the registry.
        what: Which property of it.
        found: As it is.
        wanted: As it should be.
        by_hand: Why `apply` leaves it: what to do instead. None: `apply` mends it.
    """

    subject: str
    what: str
    found: str
    wanted: str
    by_hand: str | None = None


def wanted_state(topic: Topic, brokers: int, replicas: int | None = None, partitions: int | None = None) -> TopicState:
    """A topic as it should be.

    Args:
        topic: As the file has it.
        brokers: How many the cluster has.
        replicas: Of the topic that exists; with fewer than three, asking for two in sync would stop every producer.
        partitions: In place of the file's.
    """
    wanted = min(_REPLICAS, brokers)
    safe = min(wanted, replicas if replicas is not None else wanted) >= _REPLICAS
    config = {**topic.config, MIN_INSYNC: "2" if safe else "1"}
    return TopicState(partitions or topic.partitions, wanted, config)


def differences(name: str, wanted: TopicState, found: TopicState | None) -> list[Difference]:
    """Where a topic is not as wanted. More partitions and more replicas are no harm: nothing shrinks."""
    if found is None:
        return [Difference(name, "topic", ABSENT, f"{wanted.partitions} partitions, {wanted.replicas} replicas")]
    unlike: list[Difference] = []
    if found.partitions < wanted.partitions:
        unlike.append(Difference(name, "partitions", str(found.partitions), f"at least {wanted.partitions}"))
    if found.replicas < wanted.replicas:
        by_hand = "move it with Kafka's kafka-reassign-partitions"
        unlike.append(Difference(name, "replicas", str(found.replicas), str(wanted.replicas), by_hand))
    return unlike + [
        Difference(name, setting, found.config.get(setting, ABSENT), value)
        for setting, value in wanted.config.items()
        if found.config.get(setting) != value
    ]
