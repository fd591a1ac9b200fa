"""What the ledger says after events, through the views that ingest reads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from pipeline.contracts.events import Artefact, Event, ObjectRef
from pipeline.errors import Permanent
from pipeline.outcome import Outcome
from pipeline.stream import wire
from pipeline.stream.ports import Message
from pipeline.testing import samples
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ledger import dead_letters
from services.ledger.adapters.postgres import PostgresLedger
from services.ledger.batch import BatchProcessor, Processed
from services.ledger.effects import Effect
from services.ledger.handler import Arrival, handle

Connection = psycopg.Connection[Any]


def outcomes(events: Sequence[Event]) -> list[Outcome[Effect]]:
    """Event by event, each written a second after the one before."""
    return [
        handle(Arrival(event.TOPIC, 0, n, samples.ACCEPTED_AT + timedelta(seconds=n + 1)), event, bill_reprocess=True)
        for n, event in enumerate(events)
    ]


def job(owner: Connection, job_id: str = "job-1") -> dict[str, Any]:
    with owner.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute("SELECT * FROM ledger.jobs_v1 WHERE job_id = %s", (job_id,)).fetchone()
    assert row is not None
    return row


def test_a_call_that_went_well(ledger: PostgresLedger, owner: Connection) -> None:
    said = [
        samples.audio_uploaded(),
        samples.job_status(state="transcribing"),
        samples.transcript_ready(),
        samples.job_status(),
    ]
    assert ledger.apply(outcomes(said)) == 4
    assert job(owner) == {
        "job_id": "job-1",
        "client_id": "acme",
        "call_id": "call-job-1",
        "run": 1,
        "state": "completed",
        "reason": None,
        "audio_expired_at": None,
        "transcript_expired_at": None,
        "details": {},
        "language": "ru",
        "channel_mode": "stereo",
        "channels": 2,
        "duration_ms": 74_010,
        "speech_ms": 51_200,
        "words": 143,
        "turns": 18,
        "confidence": 0.9,
        "partial": False,
        "warnings": [],
        "model": "base",
        "model_sha256": samples.SHA256,
        "engine": "faster-whisper/1.2.1",
        "transcript_key": f"jobs/job-1/1/{samples.SHA256}/transcript.json",
        "transcript_sha256": samples.SHA256,
        "transcript_size_bytes": 20_480,
        "accepted_at": samples.ACCEPTED_AT,
        "transcribing_at": samples.ACCEPTED_AT + timedelta(seconds=2),
        "transcribed_at": samples.ACCEPTED_AT + timedelta(seconds=3),
        "finished_at": samples.ACCEPTED_AT + timedelta(seconds=4),
        "queue_wait_ms": 120,
        "decode_ms": 80,
        "vad_ms": 300,
        "engine_ms": 9_000,
        "total_ms": 4_000,
        "priority": "normal",
    }
    artefacts = owner.execute("SELECT * FROM ledger.artefacts_v1").fetchall()
    assert artefacts == [("job-1", 1, "txt", f"jobs/job-1/1/{samples.SHA256}/call.txt", samples.SHA256, 2_048, "acme")]
    assert owner.execute("SELECT * FROM ledger.usage_v1").fetchall() == [("acme", date(2026, 11, 1), 1, 74_010)]


def test_nothing_of_a_result_shows_before_the_completion(ledger: PostgresLedger, owner: Connection) -> None:
    ledger.apply(outcomes([samples.audio_uploaded(language="kk"), samples.transcript_ready()]))
    found = job(owner)
    assert (found["state"], found["language"], found["finished_at"], found["total_ms"]) == (
        "transcribed",
        "kk",
        None,
        None,
    )
    assert [found[name] for name in ("words", "turns", "transcript_key", "engine_ms")] == [None] * 4


def test_a_late_weaker_state_changes_nothing(ledger: PostgresLedger, owner: Connection) -> None:
    ledger.apply(outcomes([samples.audio_uploaded(), samples.transcript_ready(), samples.job_status()]))
    before = job(owner)
    ledger.apply(outcomes([samples.job_status(state="failed", reason="too_long", details={"limit_s": "1"})]))
    assert job(owner) == before


def test_a_failed_job_shows_reason_and_figures_and_is_not_billed(ledger: PostgresLedger, owner: Connection) -> None:
    ledger.apply(outcomes([samples.job_status(state="failed", reason="too_long", details={"limit_s": "7200"})]))
    found = job(owner)
    assert (found["state"], found["reason"], found["details"]) == ("failed", "too_long", {"limit_s": "7200"})
    assert found["finished_at"] == samples.ACCEPTED_AT + timedelta(seconds=1)
    assert owner.execute("SELECT count(*) FROM ledger.usage").fetchone() == (0,)


def test_a_higher_run_starts_with_nothing_and_the_older_one_stays_as_history(
    ledger: PostgresLedger, owner: Connection
) -> None:
    ledger.apply(outcomes([samples.audio_uploaded(), samples.transcript_ready(), samples.job_status()]))
    ledger.apply(outcomes([samples.audio_uploaded(run=2)]))
    found = job(owner)
    assert (found["run"], found["state"], found["words"], found["transcript_key"]) == (2, "queued", None, None)
    ledger.apply(outcomes([samples.audio_uploaded(run=2), samples.job_status(run=2)]))
    found = job(owner)
    assert (found["run"], found["state"], found["words"], found["total_ms"]) == (2, "completed", 143, 1_000)
    assert owner.execute("SELECT run FROM ledger.artefacts_v1 ORDER BY run").fetchall() == [(1,), (2,)]
    assert owner.execute("SELECT calls, billed_ms FROM ledger.usage_v1").fetchall() == [(2, 2 * 74_010)]


def test_erasure_overlays_the_state_and_leaves_the_end_of_the_work(ledger: PostgresLedger, owner: Connection) -> None:
    ledger.apply(outcomes([samples.audio_uploaded(), samples.job_status(), samples.job_status(state="erased")]))
    found = job(owner)
    assert (found["state"], found["finished_at"]) == ("erased", samples.ACCEPTED_AT + timedelta(seconds=2))


def test_a_second_result_with_the_same_event_id_changes_nothing(ledger: PostgresLedger, owner: Connection) -> None:
    zombie = samples.completion().model_copy(
        update={
            "words": 9,
            "duration_ms": 1,
            "transcript": ObjectRef(key="other", sha256="f" * 64, size_bytes=1),
            "artefacts": (Artefact(format="vtt", key="other", sha256="f" * 64, size_bytes=1),),
        }
    )
    ledger.apply(outcomes([samples.transcript_ready(), samples.job_status(), samples.job_status(completion=zombie)]))
    before = job(owner)
    assert before["words"] == 143
    assert ledger.apply(outcomes([samples.job_status(completion=zombie)])) == 0
    assert job(owner) == before
    assert owner.execute("SELECT format FROM ledger.artefacts_v1").fetchall() == [("txt",)]
    assert owner.execute("SELECT billed_ms FROM ledger.usage_v1").fetchall() == [(74_010,)]


def test_turns_of_another_transcript_than_the_result_are_not_shown(ledger: PostgresLedger, owner: Connection) -> None:
    other = samples.transcript_ready(transcript=ObjectRef(key="other", sha256="f" * 64, size_bytes=1))
    ledger.apply(outcomes([other, samples.job_status()]))
    assert job(owner)["turns"] is None


def test_a_state_of_a_newer_release_is_kept_and_shows_nowhere(ledger: PostgresLedger, owner: Connection) -> None:
    ledger.apply(outcomes([samples.audio_uploaded(), samples.job_status(run=2, state="held")]))
    found = job(owner)
    assert (found["run"], found["state"]) == (1, "queued")
    assert owner.execute("SELECT run, state FROM ledger.seen WHERE NOT counted").fetchall() == [(2, "held")]


def test_nothing_that_decodes_stops_the_ledger(ledger: PostgresLedger, owner: Connection) -> None:
    widest = 2**63 - 1
    completion = samples.completion().model_copy(
        update={
            "duration_ms": widest,
            "speech_ms": -widest,
            "confidence": float("nan"),
            "warnings": ("\0",),
            "artefacts": tuple(
                Artefact(format="x" * 9_000 + "\0", key="\0" * 9_000, sha256="", size_bytes=-1) for _ in range(2)
            ),
        }
    )
    event = samples.job_status(
        job_id="\0" * 9_000,
        event_id="ж" * 9_000,
        client_id="я" * 9_000,
        call_id="\0" * 90_000,
        details={"\0": "\0" * 90_000},
        reason="\0",
        completion=completion,
    )
    owner.execute("INSERT INTO ledger.prices VALUES ('transcription', NULL, '-infinity', 99999, 'RUB')")
    assert ledger.apply(outcomes([event, samples.audio_uploaded()])) == 2
    assert owner.execute("SELECT sum(duration_ms), sum(amount) FROM ledger.usage").fetchone() == (0, 0)
    assert owner.execute("SELECT count(*) FROM ledger.jobs_v1").fetchone() == (2,)
    another = samples.job_status("job-2", client_id="я" * 9_000, completion=completion)
    assert ledger.apply(outcomes([another])) == 1
    assert owner.execute("SELECT calls, billed_ms FROM ledger.usage_v1").fetchall() == [(2, widest)]


def test_ledgers_side_by_side_count_each_event_once(
    ledger: PostgresLedger, owner: Connection, database_urls: DatabaseUrls
) -> None:
    batch = outcomes([samples.job_status(f"job-{number}") for number in range(200)])
    others = [PostgresLedger(database_urls.ledger, batch_max_events=50) for _ in range(3)]
    together = threading.Barrier(4)

    def replay(one: PostgresLedger, backwards: bool) -> int:  # noqa: FBT001  called by map
        together.wait(timeout=20)
        return one.apply(batch[::-1] if backwards else batch)

    with ThreadPoolExecutor(4) as pool:
        new = list(pool.map(replay, [ledger, *others], [False, True, False, True]))
    for one in others:
        one.close()
    assert sum(new) == 200
    assert owner.execute("SELECT calls FROM ledger.usage_v1").fetchall() == [(200,)]


def test_dead_letters_lie_in_the_database_byte_for_byte_and_once(ledger: PostgresLedger, owner: Connection) -> None:
    class NoDlq:
        def check(self) -> None: ...

        def passed(self) -> None: ...

        def put_aside(self, message: Message, error: Permanent) -> None:
            raise AssertionError((message, error))

    headers = (("razgovor.reason", b"undecodable"), ("raw", b"\x00\xff"), ("__connect.errors.offset", b"12"))
    letter = Message("job.status.dlq", 1, 5, b"\x00", b"\x00\xff", headers, samples.ACCEPTED_AT)
    tombstone = Message("job.status.dlq", 1, 6, None, None, (), samples.ACCEPTED_AT)
    processor = BatchProcessor(wire.decode, ledger, NoDlq(), bill_reprocess=True)
    for _ in range(2):
        assert processor.process([letter, tombstone, letter]) == Processed(new=0, put_aside=0)
    assert dead_letters.is_dead_letter(letter)
    rows = owner.execute(
        'SELECT key, value, header_names, header_values, reason, origin_offset FROM ledger.dlq ORDER BY "offset"'
    ).fetchall()
    names = ["razgovor.reason", "raw", "__connect.errors.offset"]
    assert rows == [
        (b"\x00", b"\x00\xff", names, [b"undecodable", b"\x00\xff", b"12"], "undecodable", 12),
        (None, None, [], [], None, None),
    ]
