"""What a workbook over a month of calls takes: time, peak memory, disk, by the number of calls.

    python -m bench.reports

The calls are made up, of two minutes and 40 turns each; they come page by page as from the database, their transcripts as
bytes as from the store. Each report is made in a fresh process, whose peak must not follow from the number of calls.
Prints a table, writes bench/out/reports.json.
"""

from __future__ import annotations

import json
import resource
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Final

from rich.console import Console
from rich.progress import track
from rich.table import Table

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts.events import Timings
from pipeline.contracts.transcript import Channel, Provenance, Transcript, Turn, Word
from pipeline.isolation import ChildProcess, Limits
from services.ingest.jobs import Cursor, Job, Outcome, StoredObject
from services.ingest.listing import Wanted
from services.ingest.report_questions import ReportQuestion
from services.ingest.reports import write_report

OUT: Final = Path(__file__).parent / "out" / "reports.json"
COUNTS: Final = (1_000, 5_000, 45_000)
TURNS: Final = 40
WORDS: Final = 6
KEY: Final = "transcript"
MEBIBYTE: Final = 1 << 20
FIRST: Final = datetime(2026, 11, 1, tzinfo=UTC)
ROLES: Final = ("operator", "customer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One report. Times are seconds, sizes MiB; `grown` is what the process took on top of what it held before."""

    calls: int
    dialogues: bool
    wall_s: float
    processor_s: float
    grown_mib: int
    peak_mib: int
    file_mib: float


def transcript() -> Transcript:
    """A call of two minutes."""
    turns = tuple(
        Turn(
            channel=number % 2,
            role=ROLES[number % 2],
            start_s=3.0 * number,
            end_s=3.0 * number + 2.5,
            text="добрый день чем могу помочь вам ",
            confidence=0.9,
            words=tuple(
                Word(
                    text="слово",
                    start_s=3.0 * number + 0.4 * word,
                    end_s=3.0 * number + 0.4 * word + 0.3,
                    confidence=0.9,
                )
                for word in range(WORDS)
            ),
        )
        for number in range(TURNS)
    )
    return Transcript(
        job_id="j",
        run=1,
        call_id="c",
        client="acme",
        language="ru",
        channel_mode="stereo",
        duration_s=120.0,
        partial=False,
        warnings=(),
        channels=tuple(Channel(index=index, role=role, speech_s=40.0) for index, role in enumerate(ROLES)),
        turns=turns,
        suppressed=(),
        timings=Timings(queue_wait_ms=1, decode_ms=1, vad_ms=1, engine_ms=1),
        provenance=Provenance(audio_sha256="", engine="", model="", model_sha256="", parameters={}),
    )


class ManyJobs:
    """As the database: `count` jobs, newest first, made when they are asked for."""

    def __init__(self, count: int) -> None:
        self._count = count
        stored = StoredObject(key=KEY, sha256="", size_bytes=0)
        self._job = Job(
            job_id="",
            client_id="acme",
            call_id="",
            accepted_at=FIRST,
            priority="normal",
            language="ru",
            locale="ru",
            formats=("xlsx",),
            channel_roles=ROLES,
            audio=stored,
            media_type="audio/wav",
            started_at=FIRST,
            direction="inbound",
            operator="Иванова Анна",
            customer_number="+7 900 000-00-00",
            outcome=Outcome(run=1, state="completed", duration_ms=120_000, words=TURNS * WORDS, transcript=stored),
        )

    def fetch(self, _client_id: str, _job_id: str) -> Job | None:
        """See `Jobs.fetch`."""
        return None

    def several(self, _client_id: str, job_ids: Sequence[str]) -> list[Job]:
        """See `Jobs.several`."""
        return [self._numbered(int(job_id)) for job_id in job_ids]

    def page(self, _client_id: str, _wanted: Wanted, *, after: Cursor | None, limit: int) -> list[Job]:  # noqa: ARG002
        """See `Jobs.page`: no report asks for one."""
        return []

    def by_chains(self, _client_id: str, *, since: datetime, before: datetime, limit: int) -> list[str]:  # noqa: ARG002
        """See `Jobs.by_chains`."""
        return [f"{number:036d}" for number in range(min(limit, self._count) - 1, -1, -1)]

    def _numbered(self, number: int) -> Job:
        name = f"{number:036d}"
        accepted_at = FIRST + timedelta(seconds=number)
        return replace(self._job, job_id=name, call_id=name, file_name=f"{name}.wav", accepted_at=accepted_at)


def make(count: int, *, dialogues: bool) -> Made:
    """Make one report in this process."""
    store = MemoryStore()
    store.put(KEY, transcript().to_bytes(), media_type="application/json")
    question = ReportQuestion(
        client_id="acme", since=FIRST, before=FIRST + timedelta(days=31), locale="ru", dialogues=dialogues
    )
    with tempfile.TemporaryFile() as warm:
        write_report(ManyJobs(10), store, question, warm)
    before, began_s = resource.getrusage(resource.RUSAGE_SELF), perf_counter()
    with tempfile.TemporaryFile() as target:
        write_report(ManyJobs(count), store, question, target)
        size_bytes = target.seek(0, 2)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return Made(
        calls=count,
        dialogues=dialogues,
        wall_s=round(perf_counter() - began_s, 1),
        processor_s=round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        grown_mib=(after.ru_maxrss - before.ru_maxrss) // 1024,
        peak_mib=after.ru_maxrss // 1024,
        file_mib=round(size_bytes / MEBIBYTE, 1),
    )


def maker() -> partial[Made]:
    """What the fresh process runs."""
    return partial(_serve)


def _serve(order: tuple[int, bool]) -> Made:
    return make(order[0], dialogues=order[1])


def main() -> None:
    """Measure and tell."""
    orders = [(count, dialogues) for count in COUNTS for dialogues in (False, True)]
    made: list[Made] = []
    for order in track(orders, "reports"):
        with ChildProcess[tuple[int, bool], Made](
            maker, name="bench-report", limits=Limits(), start_timeout_s=60
        ) as child:
            made.append(child.call(order, timeout_s=3600))
    table = Table("calls", "dialogues", "wall s", "processor s", "grown MiB", "peak MiB", "file MiB")
    for one in made:
        table.add_row(*(str(value) for value in asdict(one).values()))
    Console().print(table)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps([asdict(one) for one in made], indent=2), encoding="utf-8")


if __name__ == "__main__":
    from bench.reports import main as run  # not of the module that is run as __main__: its functions go to the child

    run()
