"""The topics as they are, read from end to end as no member of any group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from pipeline.contracts.topics import GROUPS, group_of
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaLogReader, KafkaScanner
from pipeline.stream.ports import TopicPartition
from pipeline.stream.wire import Wire
from razgovor.audit.log_entries import LogEntry, audited_topics, consumers, entry_of


class LiveTopics:
    """See `sources.Topics`.

    Args:
        connection: The brokers.
        wire: How events are read.
    """

    def __init__(self, connection: KafkaConnection, wire: Wire) -> None:
        self._scanner = KafkaScanner(connection)
        self._reader = KafkaLogReader(connection)
        self._wire = wire

    def commits(self) -> Mapping[str, Mapping[TopicPartition, int]]:
        """See `Topics.commits`."""
        return {group: self._commits_of(group) for group in GROUPS}

    def _commits_of(self, group: str) -> dict[TopicPartition, int]:
        read: dict[str, list[TopicPartition]] = {}
        for log in self._logs:
            if group in consumers()[log.topic]:
                read.setdefault(group_of(group, log.topic), []).append(log)
        return {
            log: found.committed
            for name, own in read.items()
            for log, found in self._reader.bounds(name, own).items()
            if found.committed is not None
        }

    def count(self) -> int:
        """See `Topics.count`."""
        return sum(high - low for low, high in self._scanner.ends(self._logs).values())

    def entries(self) -> Iterator[LogEntry]:
        """See `Topics.entries`."""
        for message in self._scanner.scan(self._logs):
            yield entry_of(message, self._wire.decode)

    def close(self) -> None:
        """Let go."""
        self._scanner.close()
        self._reader.close()

    @cached_property
    def _logs(self) -> list[TopicPartition]:
        return self._scanner.logs(audited_topics())
