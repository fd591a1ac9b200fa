"""A whole audit over sources in memory: facts of many jobs come together, what has no source is not checked."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from rich.console import Console

from pipeline.blobs.ports import BlobNotFound
from pipeline.contracts import layout, states
from pipeline.contracts.transcript import sha256_hex
from pipeline.stream.ports import TopicPartition
from razgovor.audit import showing
from razgovor.audit.facts import JobFacts, RunRow, StoredObject
from razgovor.audit.findings import Invariant
from razgovor.audit.log_entries import LogEntry, consumers
from razgovor.audit.run import UNFINISHED_MAX, Question, Report, audit
from razgovor.audit.scratch import Letter, job_order
from tests.unit.razgovor.audit.world import ACCEPTED_AT, NOW, completed_run, job_row, submission

#: Ids that sort otherwise with a slash behind them, as they stand in keys.
IDS = ("a", "a-b", "a.b", "a0", "b", "é")


def job(job_id: str) -> JobFacts:
    """A completed job of this id."""
    made = JobFacts(job_id=job_id, submission=submission(), refused=None, job=job_row(), **completed_run())
    text = json.dumps({"job_id": job_id, "run": 1, "client": "acme"}).encode()
    sha = sha256_hex(text)
    transcript, artefact = layout.transcript_key(job_id, 1, sha), layout.artefact_key(job_id, 1, sha, "txt")
    named: dict[str, Any] = {"job_id": job_id}
    assert made.submission is not None
    assert made.job is not None
    audio: dict[str, Any] = {
        "audio_key": layout.audio_key(job_id),
        "audio_sha256": sha256_hex(b"x"),
        "audio_size_bytes": 1,
    }
    return replace(
        made,
        submission=replace(made.submission, **named, **audio),
        job=replace(made.job, **named),
        runs=tuple(replace(row, **named) for row in made.runs),
        results=tuple(
            replace(row, **named, transcript_key=transcript, transcript_sha256=sha, transcript_size_bytes=len(text))
            for row in made.results
        ),
        artefacts=tuple(
            replace(row, **named, key=artefact, sha256=sha256_hex(b"x"), size_bytes=1) for row in made.artefacts
        ),
        usage=tuple(replace(row, **named) for row in made.usage),
        seen=tuple(replace(row, **named, event_id=f"{job_id}/{row.state}") for row in made.seen),
        records=(),
        objects=(),
    )


@dataclass
class World:
    """A database and a store in memory."""

    jobs: list[JobFacts]
    objects: dict[str, bytes] = field(default_factory=dict)
    kept: list[Letter] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for one in self.jobs:
            self.objects[layout.audio_key(one.job_id)] = b"x"
            for result in one.results:
                said = {"job_id": one.job_id, "run": 1, "client": "acme"}
                self.objects[result.transcript_key] = json.dumps(said).encode()
            for made in one.artefacts:
                self.objects[made.key] = b"x"

    # the database and its snapshot

    @contextmanager
    def snapshot(self) -> Iterator[World]:
        yield self

    @property
    def now(self) -> datetime:
        return NOW

    def count_jobs(self) -> int:
        return len(self.jobs)

    def _rows(self, name: str) -> Iterator[Any]:
        for one in sorted(self.jobs, key=lambda one: job_order(one.job_id)):
            found = getattr(one, name)
            yield from found if isinstance(found, tuple) else () if found is None else (found,)

    def submissions(self) -> Iterator[Any]:
        return self._rows("submission")

    def refused(self) -> Iterator[Any]:
        return self._rows("refused")

    def jobs_(self) -> Iterator[Any]:
        return self._rows("job")

    def runs(self) -> Iterator[Any]:
        return self._rows("runs")

    def results(self) -> Iterator[Any]:
        return self._rows("results")

    def artefacts(self) -> Iterator[Any]:
        return self._rows("artefacts")

    def usage(self) -> Iterator[Any]:
        return self._rows("usage")

    def seen(self) -> Iterator[Any]:
        return self._rows("seen")

    def letters(self) -> Iterator[Letter]:
        return iter(self.kept)

    # the store

    def list(self) -> Iterator[StoredObject]:
        for key, data in sorted(self.objects.items()):
            yield StoredObject(key=key, size_bytes=len(data), modified_at=ACCEPTED_AT)

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        self.opened.append(key)
        if key not in self.objects:
            raise BlobNotFound(key)
        yield io.BytesIO(self.objects[key])


class Base(World):
    """The world as `sources.Database`: its rows of jobs are called `jobs`, as its list of jobs is."""

    @contextmanager
    def snapshot(self) -> Iterator[Any]:
        world = self

        class Snapshot:
            now = NOW

            def __getattr__(self, name: str) -> Any:
                return getattr(world, "jobs_" if name == "jobs" else name)

        yield Snapshot()


class Topics:
    def __init__(self, entries: tuple[LogEntry, ...], passed: int = 0) -> None:
        self._entries = entries
        self._passed = passed

    def commits(self) -> Mapping[str, Mapping[TopicPartition, int]]:
        return {
            group: {TopicPartition(topic, 3): self._passed for topic, groups in consumers().items() if group in groups}
            for group in ("ingest", "transcriber", "exporter", "ledger")
        }

    def count(self) -> int:
        return len(self._entries)

    def entries(self) -> Iterator[LogEntry]:
        return iter(self._entries)


def entry(topic: str, offset: int, **fields: Any) -> LogEntry:
    home: dict[str, Any] = {"home_topic": topic, "home_partition": 3, "home_offset": offset}
    return LogEntry(**{"topic": topic, "partition": 3, "offset": offset, **home, **fields})


def ask(world: Base, topics: Topics | None = None, *, store: bool = True, **question: Any) -> Report:
    return audit(world, world if store else None, topics, Question(**{"drained": True, **question}))


def violations(report: Report) -> dict[str, int]:
    return {
        f"{invariant.value} {code}": count
        for invariant, tally in report.findings.tallies.items()
        for code, count in tally.violations.items()
    }


def test_every_job_comes_together_once_whatever_its_id() -> None:
    report = ask(Base([job(job_id) for job_id in IDS]), Topics(()))
    assert violations(report) == {}
    assert report.ok
    assert report.jobs == len(IDS)
    checked = {invariant.value: tally.checked for invariant, tally in report.findings.tallies.items()}
    assert checked == {"I1": 6, "I2": 6, "I3": 18, "I4": 6, "I5": 0, "I6": 0, "I7": 6}


def test_one_flipped_byte_is_found_when_all_is_read() -> None:
    world = Base([job(job_id) for job_id in IDS])
    key = next(iter(world.jobs[0].artefacts)).key
    world.objects[key] = b"y"
    assert violations(ask(world)) == {"I3 another_hash": 1}
    assert violations(ask(world, hash_share=0.0)) == {}


def test_a_share_of_the_objects_is_read_and_the_salt_says_which() -> None:
    world = Base([job(f"job-{number:03}") for number in range(100)])
    ask(world, hash_share=0.1, salt="one")
    first = set(world.opened)
    assert 10 < len(first) < 60
    world.opened.clear()
    ask(world, hash_share=0.1, salt="two")
    assert set(world.opened) != first


def test_a_transcript_tells_whose_it_is() -> None:
    stranger = job("a")
    world = Base([stranger])
    text = json.dumps({"job_id": "a", "run": 1, "client": "other"}).encode()
    sha = sha256_hex(text)
    key = layout.transcript_key("a", 1, sha)
    world.jobs[0] = replace(
        stranger,
        results=tuple(
            replace(row, transcript_key=key, transcript_sha256=sha, transcript_size_bytes=len(text))
            for row in stranger.results
        ),
    )
    world.objects[key] = text
    assert violations(ask(world)) == {"I7 transcript_of_another_client": 1}


def test_a_transcript_that_is_no_json_is_nobody_s() -> None:
    world = Base([job("a")])
    key = world.jobs[0].results[0].transcript_key
    world.objects[key] = b"[" + world.objects[key][1:]
    assert set(violations(ask(world))) == {"I3 another_hash", "I7 transcript_of_another_job"}


def test_what_has_no_source_is_not_checked() -> None:
    report = ask(Base([job("a")]), store=False)
    assert {invariant.value for invariant, tally in report.findings.tallies.items() if tally.holds is None} == {
        "I3",
        "I4",
        "I5",
        "I6",
    }
    assert report.ok


def test_an_orphan_is_found_among_jobs() -> None:
    world = Base([job(job_id) for job_id in IDS])
    world.objects["jobs/a-a/audio"] = b"x"
    assert violations(ask(world)) == {"I4 orphan": 1}


def test_the_oldest_unfinished_jobs_are_named_and_all_are_counted() -> None:
    under_way = [
        replace(
            job(f"job-{number:03}"),
            submission=replace(submission(), job_id=f"job-{number:03}", accepted_at=NOW.replace(hour=number % 9)),
            runs=(RunRow(job_id=f"job-{number:03}", run=1, state=states.TRANSCRIBING),),
            usage=(),
            results=(),
            artefacts=(),
            seen=(),
        )
        for number in range(100)
    ]
    report = ask(Base(under_way), store=False, drained=False)
    assert report.unfinished_count == 100
    named = showing.as_json(report)["unfinished"]["oldest"]
    assert len(named) == UNFINISHED_MAX
    assert [one["age_s"] for one in named] == sorted((one["age_s"] for one in named), reverse=True)
    assert named[0]["age_s"] == max(one.age_s for one in report.unfinished)
    assert named[0]["state"] == "transcribing"


UNDECODABLE = entry("job.status", 5)
ASIDE = entry("job.status.dlq", 0, home_topic="job.status", home_offset=5, group="ledger", value_sha256="s")
KEPT = Letter(topic="job.status.dlq", partition=3, offset=0, value_sha256="s")


@pytest.mark.parametrize(
    ("entries", "kept", "found"),
    [
        ((UNDECODABLE, ASIDE), [KEPT], {}),
        ((UNDECODABLE,), [], {"I5 passed_unfinished": 1}),
        ((UNDECODABLE, ASIDE), [], {"I5 passed_unfinished": 1}),
        ((UNDECODABLE, ASIDE), [replace(KEPT, value_sha256="of a log that was wiped")], {"I5 passed_unfinished": 1}),
        ((UNDECODABLE, replace(ASIDE, group="exporter")), [KEPT], {"I5 passed_unfinished": 1}),
        ((UNDECODABLE, replace(ASIDE, home_offset=6)), [KEPT], {"I5 passed_unfinished": 1}),
        # The DLQ's log has it no more, but the ledger has.
        (
            (UNDECODABLE,),
            [replace(KEPT, group="ledger", home_topic="job.status", home_partition=3, home_offset=5)],
            {},
        ),
    ],
)
def test_dead_letters_are_matched_by_where_they_first_lay(
    entries: tuple[LogEntry, ...], kept: list[Letter], found: dict[str, int]
) -> None:
    assert violations(ask(Base([job("a")], kept=kept), Topics(entries, passed=100))) == found


@pytest.mark.parametrize(("attempt", "found"), [(2, {}), (1, {"I5 passed_unfinished": 1})])
def test_a_record_that_went_on_to_the_retry_topic_is_its_later_attempt(attempt: int, found: dict[str, int]) -> None:
    told = {"event_id": "a/queued", "job_id": "a", "run": 1, "client_id": "acme", "kind": "audio.uploaded"}
    first = entry("audio.uploaded", 5, **told)
    again = entry("audio.uploaded.retry", 900, **told, home_topic="audio.uploaded", home_offset=5, attempt=attempt)
    report = ask(Base([job("a")]), Topics((first, again), passed=100), drained=False)
    assert violations(report) == found
    assert report.findings.tallies[Invariant.I6].notes == {"in_flight": 1}  # the later attempt itself


def test_the_report_shows_on_a_terminal_and_as_json() -> None:
    world = Base([job("[red]a")])
    world.objects["jobs/orphan/audio"] = b"x"
    report = ask(world, Topics((UNDECODABLE,)))
    plain = json.loads(json.dumps(showing.as_json(report)))
    assert plain["ok"] is False
    verdicts = {one["invariant"]: one["verdict"] for one in plain["invariants"]}
    assert verdicts == {
        "I1": "holds",
        "I2": "holds",
        "I3": "holds",
        "I4": "broken",
        "I5": "holds",
        "I6": "broken",
        "I7": "holds",
    }
    assert plain["topics"] == [{"topic": "job.status", "records": 1, "undecodable": 1, "events": 0}]
    console = Console(width=200, record=True)
    for table in (showing.verdicts(report), showing.violations(report), showing.unfinished(report)):
        if table is not None:
            console.print(table)
    shown = console.export_text()
    assert "broken" in shown
    assert "jobs/orphan/" in shown


def test_records_of_any_number_are_put_in_order_in_a_folder_that_is_left_empty(tmp_path: Path) -> None:
    ask(Base([job("a")]), Topics(tuple(entry("job.status", n) for n in range(20_000))), scratch_folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_source_out_of_order_is_noticed() -> None:
    class Shuffled(Base):
        def seen(self) -> Iterator[Any]:
            return iter(list(super().seen())[::-1])

    with pytest.raises(ValueError, match="order"):
        ask(Shuffled([job("a"), job("b")]))
