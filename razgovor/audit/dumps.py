"""Topics as a folder: `commits.json`, and a `<topic>.jsonl` with a line for each record. Ids and places, no content.

`write` makes one; `DumpedTopics` reads one, here or elsewhere, as if it were the topics.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TextIO

from pipeline.errors import Fatal
from pipeline.stream.ports import TopicPartition
from razgovor.audit.log_entries import LogEntry, audited_topics
from razgovor.audit.sources import Topics

COMMITS: Final = "commits.json"


def write(topics: Topics, folder: Path, advance: Callable[[], None] = lambda: None) -> int:
    """Write all topics into a folder, 0600, made if it is missing; `advance` is called for each record.

    Returns:
        How many records.

    Raises:
        Fatal: The folder holds a dump already, or cannot be written.
        Transient: The brokers do not answer.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_commits(folder / COMMITS, topics.commits())
        with ExitStack() as files:
            opened = {name: files.enter_context(_new(folder / f"{name}.jsonl")) for name in audited_topics()}
            count = 0
            for entry in topics.entries():
                opened[entry.topic].write(entry.to_line() + "\n")
                advance()
                count += 1
    except FileExistsError as error:
        raise Fatal(f"{folder} holds a dump already") from error
    except OSError as error:
        raise Fatal(f"{folder} cannot be written: {error.strerror}") from error
    return count


def _write_commits(path: Path, commits: Mapping[str, Mapping[TopicPartition, int]]) -> None:
    plain: dict[str, dict[str, dict[str, int]]] = {}
    for group, positions in commits.items():
        of_group = plain.setdefault(group, defaultdict(dict))
        for log, position in sorted(positions.items()):
            of_group[log.topic][str(log.partition)] = position
    with _new(path) as file:
        json.dump({"groups": plain}, file, indent=1)


def _new(path: Path) -> TextIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")


class DumpedTopics:
    """See `sources.Topics`: what `write` has written.

    Raises:
        Fatal: The folder holds no dump.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            said = json.loads((folder / COMMITS).read_text(encoding="utf-8"))
            self._commits = {group: _positions(of_group) for group, of_group in said["groups"].items()}
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise Fatal(f"{folder} holds no dump") from error

    def commits(self) -> Mapping[str, Mapping[TopicPartition, int]]:
        """See `Topics.commits`."""
        return self._commits

    def count(self) -> int:
        """See `Topics.count`."""
        return sum(1 for _ in self._lines())

    def entries(self) -> Iterator[LogEntry]:
        """See `Topics.entries`.

        Raises:
            Fatal: A line is no record.
        """
        for line in self._lines():
            try:
                yield LogEntry.from_line(line)
            except ValueError as error:
                raise Fatal(f"{self._folder} holds lines that are no records") from error

    def _lines(self) -> Iterator[str]:
        for topic in audited_topics():
            path = self._folder / f"{topic}.jsonl"
            if path.exists():
                with path.open(encoding="utf-8") as lines:
                    yield from lines


def _positions(of_group: Mapping[str, Mapping[str, int]]) -> dict[TopicPartition, int]:
    return {
        TopicPartition(topic, int(number)): int(position)
        for topic, partitions in of_group.items()
        for number, position in partitions.items()
    }
