from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.contracts.topics import names
from pipeline.errors import Fatal
from pipeline.stream.schema_registry import MemoryRegistry
from pipeline.stream.topology import Acl, TopicState
from razgovor.topics.acl_file import AclFile, read_acls
from razgovor.topics.keeper import Keeper, released


class MemoryCluster:
    """A cluster that remembers; nothing in it can be deleted."""

    def __init__(self, brokers: int = 1) -> None:
        self._brokers = brokers
        self.there: dict[str, TopicState] = {}
        self.allowed: set[Acl] = set()
        self.changes: list[str] = []

    def brokers(self) -> int:
        return self._brokers

    def topics(self, names: Collection[str]) -> dict[str, TopicState]:
        return {name: self.there[name] for name in names if name in self.there}

    def create(self, name: str, state: TopicState) -> None:
        self.changes.append(f"create {name}")
        self.there[name] = state

    def grow(self, name: str, partitions: int) -> None:
        self.changes.append(f"grow {name}")
        self.there[name] = replace(self.there[name], partitions=partitions)

    def configure(self, name: str, config: Mapping[str, str]) -> None:
        self.changes.append(f"configure {name} {sorted(config)}")
        self.there[name] = replace(self.there[name], config={**self.there[name].config, **config})

    def acls(self, users: Collection[str]) -> set[Acl]:
        return {acl for acl in self.allowed if acl.user in users}

    def allow(self, acls: Sequence[Acl]) -> None:
        self.changes.extend(f"allow {acl.user}" for acl in acls)
        self.allowed.update(acls)

    def close(self) -> None:
        pass


def acl_file(tmp_path: Path, text: str) -> AclFile:
    path = tmp_path / "acls.yaml"
    path.write_text(text, encoding="utf-8")
    return read_acls(path)


RULES = "exporter:\n  - {resource: topic, names: [transcript.ready], operations: [read]}\n"


def test_applied_once_nothing_differs_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    cluster, registry = MemoryCluster(3), MemoryRegistry()
    keeper = Keeper(cluster, registry, acl_file(tmp_path, RULES))
    assert {one.subject for one in keeper.check()} > set(names())
    assert keeper.apply() == []
    assert keeper.check() == []
    assert set(cluster.there) == set(names())
    cluster.changes.clear()
    assert keeper.apply() == []
    assert cluster.changes == []


def test_checking_changes_nothing(tmp_path: Path) -> None:
    cluster, registry = MemoryCluster(), MemoryRegistry()
    assert Keeper(cluster, registry, acl_file(tmp_path, RULES)).check()
    assert (cluster.changes, cluster.there, cluster.allowed) == ([], {}, set())
    assert registry.texts_of("job.status-value") == []


def test_what_differs_is_corrected_and_what_is_more_stays() -> None:
    cluster = MemoryCluster()
    keeper = Keeper(cluster)
    keeper.apply()
    state = cluster.there["job.status"]
    cluster.there["job.status"] = TopicState(4, 1, {**state.config, "retention.ms": "1", "compression.type": "zstd"})
    cluster.there["audio.uploaded"] = replace(state, partitions=96)
    cluster.there["somebody.elses"] = TopicState(1, 1)
    cluster.changes.clear()
    assert keeper.apply() == []
    assert cluster.changes == ["grow job.status", "configure job.status ['retention.ms']"]
    assert cluster.there["job.status"].config["compression.type"] == "zstd"
    assert cluster.there["audio.uploaded"].partitions == 96


def test_too_few_copies_are_told_and_left() -> None:
    cluster = MemoryCluster(3)
    keeper = Keeper(cluster)
    keeper.apply()
    cluster.there["job.status"] = replace(cluster.there["job.status"], replicas=1)
    (left,) = keeper.apply()
    assert (left.subject, left.what, left.found, left.wanted) == ("job.status", "replicas", "1", "3")
    assert cluster.there["job.status"].config["min.insync.replicas"] == "1"


def test_rights_beyond_the_file_are_told_and_left(tmp_path: Path) -> None:
    cluster = MemoryCluster()
    beyond = Acl("exporter", "topic", "job.status", "delete")
    cluster.allowed = {beyond, Acl("stranger", "topic", "job.status", "read")}
    keeper = Keeper(cluster, acls=acl_file(tmp_path, RULES))
    (left,) = keeper.apply()
    assert (left.subject, left.what, left.found) == ("exporter", "delete topic job.status", "allowed")
    assert left.by_hand is not None
    assert beyond in cluster.allowed
    assert Acl("exporter", "topic", "transcript.ready", "read") in cluster.allowed


def test_every_topic_with_a_schema_has_it_registered_under_its_own_subject() -> None:
    registry = MemoryRegistry()
    assert Keeper(MemoryCluster(), registry).apply() == []
    subjects = {topic for topic, _schema in released()}
    assert subjects == {
        "audio.uploaded",
        "audio.uploaded.retry",
        "transcript.ready",
        "transcript.replay",
        "job.status",
        "call.recorded",
    }
    assert all(registry.texts_of(f"{topic}-value") for topic in subjects)


@pytest.mark.parametrize(
    "text",
    [
        "- a list",
        "exporter: {resource: topic}",
        "exporter:\n  - {resource: topic, names: [a], operations: [everything]}",
        "exporter:\n  - {resource: moon, names: [a], operations: [read]}",
        "exporter:\n  - {resource: topic, names: [a], operations: [read], host: x}",
        "a: [",
        "\x00",
    ],
)
def test_a_file_of_no_rules_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Fatal, match="no file of access rules"):
        acl_file(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="cannot be read"):
        read_acls(tmp_path / "absent.yaml")
