from __future__ import annotations

import pytest

from pipeline.contracts.topics import topics
from pipeline.stream.topology import TopicState
from razgovor.topics.plan import MIN_INSYNC, differences, wanted_state

TOPIC = topics()["job.status"]


@pytest.mark.parametrize(
    ("brokers", "replicas", "min_insync"), [(1, 1, "1"), (2, 2, "1"), (3, 3, "2"), (9, 3, "2")], ids=str
)
def test_with_three_brokers_there_are_three_copies_and_two_in_sync(
    brokers: int, replicas: int, min_insync: str
) -> None:
    wanted = wanted_state(TOPIC, brokers)
    assert (wanted.replicas, wanted.config[MIN_INSYNC]) == (replicas, min_insync)
    assert wanted.partitions == 48
    assert wanted.config["retention.ms"] == "259200000"


def test_a_topic_of_one_copy_is_never_asked_for_two_in_sync() -> None:
    wanted = wanted_state(TOPIC, 3, replicas=1)
    assert (wanted.replicas, wanted.config[MIN_INSYNC]) == (3, "1")
    (unlike,) = differences("job.status", wanted, TopicState(48, 1, wanted.config))
    assert unlike.what == "replicas"
    assert unlike.by_hand is not None


def test_what_is_as_wanted_differs_in_nothing() -> None:
    wanted = wanted_state(TOPIC, 1)
    assert differences("job.status", wanted, wanted) == []
    more = TopicState(96, 3, {**wanted.config, "compression.type": "zstd"})
    assert differences("job.status", wanted, more) == []


def test_every_difference_is_named_with_what_is_and_what_should_be() -> None:
    wanted = wanted_state(TOPIC, 1)
    found = TopicState(4, 1, {**wanted.config, "retention.ms": "604800000", "cleanup.policy": "compact"})
    assert {(one.what, one.found, one.wanted) for one in differences("job.status", wanted, found)} == {
        ("partitions", "4", "at least 48"),
        ("retention.ms", "604800000", "259200000"),
        ("cleanup.policy", "compact", "delete"),
    }
    (absent,) = differences("job.status", wanted, None)
    assert (absent.what, absent.found) == ("topic", "absent")


def test_a_small_cluster_may_ask_for_fewer_partitions() -> None:
    assert wanted_state(TOPIC, 1, partitions=6).partitions == 6
