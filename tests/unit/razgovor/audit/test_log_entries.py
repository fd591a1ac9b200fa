from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Fatal
from pipeline.stream import wire
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import Message, Record, TopicPartition
from pipeline.testing import samples
from razgovor.audit import dumps
from razgovor.audit.log_entries import LogEntry, audited_topics, consumers, entry_of


def lying(record: Record, offset: int = 5) -> Message:
    return Message(record.topic, 3, offset, record.key, record.value, record.headers, samples.ACCEPTED_AT)


def test_an_event_is_kept_by_its_ids() -> None:
    event = samples.job_status()
    entry = entry_of(lying(wire.encode(event)), wire.decode)
    assert entry == LogEntry(
        topic="job.status",
        partition=3,
        offset=5,
        home_topic="job.status",
        home_partition=3,
        home_offset=5,
        event_id=event.event_id,
        job_id="job-1",
        run=1,
        client_id="acme",
        kind="job.status:completed",
        stage="exporter",
    )


def test_the_kind_is_the_one_of_the_event_s_id() -> None:
    entry = entry_of(lying(wire.encode(samples.transcript_ready())), wire.decode)
    assert (entry.kind, entry.stage) == ("transcript.ready", None)


def test_what_cannot_be_decoded_is_nobody_s() -> None:
    entry = entry_of(lying(Record("job.status", b"job-1", b"broken")), wire.decode)
    assert (entry.event_id, entry.job_id, entry.home_offset) == (None, None, 5)


def test_a_retried_record_is_the_original_s_next_attempt() -> None:
    uploaded = wire.encode(samples.audio_uploaded())
    headers = (*uploaded.headers, ("razgovor.attempt", b"2"), ("razgovor.origin", b"audio.uploaded/7/42"))
    entry = entry_of(lying(Record("audio.uploaded.retry", uploaded.key, uploaded.value, headers)), wire.decode)
    assert (entry.home_topic, entry.home_partition, entry.home_offset, entry.attempt) == ("audio.uploaded", 7, 42, 2)
    assert entry.job_id == "job-1"


STORY = (
    ("__connect.errors.topic", b"job.status"),
    ("__connect.errors.partition", b"7"),
    ("__connect.errors.offset", b"42"),
    ("razgovor.group", b"ledger"),
    ("razgovor.payload_sha256", b"abc"),
)


def test_a_dead_letter_tells_where_it_was_and_who_put_it_aside() -> None:
    entry = entry_of(lying(Record("job.status.dlq", b"job-1", b"broken", STORY)), wire.decode)
    assert (entry.home_topic, entry.home_partition, entry.home_offset) == ("job.status", 7, 42)
    assert (entry.group, entry.value_sha256, entry.job_id) == ("ledger", "abc", None)


@pytest.mark.parametrize("missing", ["__connect.errors.partition", "__connect.errors.offset"])
@pytest.mark.parametrize("instead", [None, b"-1", b"x", b"9" * 30])
def test_a_dead_letter_with_half_a_story_is_at_home_where_it_lies(missing: str, instead: bytes | None) -> None:
    headers = tuple(
        (name, instead if name == missing else value) for name, value in STORY if name != missing or instead is not None
    )
    entry = entry_of(lying(Record("job.status.dlq", None, b"", headers)), wire.decode)  # type: ignore[arg-type]
    assert (entry.home_partition, entry.home_offset) == (3, 5)


def test_only_topics_of_our_events_are_read() -> None:
    assert set(audited_topics()) == {
        "audio.uploaded",
        "audio.uploaded.retry",
        "audio.uploaded.dlq",
        "transcript.ready",
        "transcript.ready.dlq",
        "job.status",
        "job.status.dlq",
        "call.recorded",
        "call.recorded.dlq",
    }
    assert consumers()["call.recorded"] == ("ingest",)
    assert consumers()["audio.uploaded"] == ("transcriber", "ledger")
    assert consumers()["audio.uploaded.retry"] == ("transcriber",)
    assert consumers()["job.status.dlq"] == ("ledger",)


TEXT = st.one_of(st.none(), st.text(max_size=10))
NUMBERS = st.integers(0, 2**40)


@given(
    st.fixed_dictionaries(
        {name: st.sampled_from(audited_topics()) for name in ("topic", "home_topic")}
        | dict.fromkeys(("partition", "offset", "home_partition", "home_offset", "attempt"), NUMBERS)
        | dict.fromkeys(("event_id", "job_id", "client_id", "kind", "stage", "group", "value_sha256"), TEXT)
        | {"run": st.one_of(st.none(), NUMBERS)}
    )
)
def test_a_line_of_a_dump_is_the_record(fields: dict[str, Any]) -> None:
    entry = LogEntry(**fields)
    assert "\n" not in entry.to_line()
    assert LogEntry.from_line(entry.to_line()) == entry


class Topics:
    """The topics of a broker in memory."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    def commits(self) -> dict[str, dict[TopicPartition, int]]:
        return {"ledger": {TopicPartition("job.status", 1): 5}, "exporter": {}}

    def count(self) -> int:
        return len(list(self.entries()))

    def entries(self) -> Any:
        for topic in audited_topics():
            for message in self._broker.messages(topic):
                yield entry_of(message, wire.decode)


@pytest.fixture
def topics() -> Topics:
    broker = MemoryBroker()
    made = [samples.job_status(f"job-{number}") for number in range(5)]
    broker.producer().publish([*map(wire.encode, made), Record("job.status.dlq", b"k", b"secret words", STORY)])
    return Topics(broker)


def test_a_dump_reads_as_the_topics_do(tmp_path: Path, topics: Topics) -> None:
    told: list[None] = []
    assert dumps.write(topics, tmp_path / "dump", lambda: told.append(None)) == len(told) == 6
    again = dumps.DumpedTopics(tmp_path / "dump")
    assert again.commits() == topics.commits()
    assert list(again.entries()) == list(topics.entries())
    assert again.count() == 6


def test_a_dump_holds_no_content_and_is_nobody_else_s(tmp_path: Path, topics: Topics) -> None:
    dumps.write(topics, tmp_path / "dump")
    for path in (tmp_path / "dump").iterdir():
        assert b"secret" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


def test_a_dump_is_never_written_over(tmp_path: Path, topics: Topics) -> None:
    dumps.write(topics, tmp_path)
    with pytest.raises(Fatal, match="holds a dump already"):
        dumps.write(topics, tmp_path)


def _no_commits(folder: Path) -> None:
    (folder / "commits.json").unlink()


def _broken_commits(folder: Path) -> None:
    (folder / "commits.json").write_text("[]")


def _broken_line(folder: Path) -> None:
    (folder / "job.status.jsonl").write_text('{"topic": 1}\n')


@pytest.mark.parametrize("spoil", [_no_commits, _broken_commits, _broken_line])
def test_what_is_no_dump_is_said_to_be_none(tmp_path: Path, topics: Topics, spoil: Callable[[Path], None]) -> None:
    dumps.write(topics, tmp_path)
    spoil(tmp_path)
    with pytest.raises(Fatal):
        list(dumps.DumpedTopics(tmp_path).entries())
