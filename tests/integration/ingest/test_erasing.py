"""A job is erased at every point of its way: nothing of it can be read afterwards, and the receipt says so (row 23 of the faults).

The whole way on one thread: ingest's HTTP layer and tables, relay and stopper, transcriber, exporter, ledger and eraser; the
database is real, broker, store and engine are the shipped fakes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from starlette.testclient import TestClient

from pipeline.audio import sniff
from pipeline.contracts import events, layout
from pipeline.contracts.events import AudioUploaded, JobStatus, TranscriptReady
from pipeline.outcome import Outcome, PutObject
from pipeline.stream import wire
from pipeline.stream.events import EventProcessor
from pipeline.stream.ports import Message
from pipeline.stream.retries import RetryTopic
from pipeline.stream.safeguards import Safeguards
from pipeline.telemetry.metrics import Metrics
from razgovor.embedded.postgres_access import DatabaseUrls
from services.exporter.handler import handle as export
from services.ingest.acceptance import Acceptance
from services.ingest.adapters.memory_rates import MemoryRates
from services.ingest.adapters.memory_reports import MemoryReports
from services.ingest.adapters.postgres import (
    Database,
    PostgresClients,
    PostgresJobs,
    PostgresOutbox,
    PostgresRuns,
    PostgresSessions,
    PostgresStops,
    PostgresSubmissions,
    PostgresUsage,
    PostgresWebhookBook,
)
from services.ingest.admin import create_key
from services.ingest.announcer import Announcer
from services.ingest.clients import Client
from services.ingest.pace import Pace
from services.ingest.rates import RateLimiter
from services.ingest.recent_keys import RecentKeys
from services.ingest.scopes import SCOPES
from services.ingest.stopper import Stopper
from services.ingest.waveforms import Waveforms
from services.ingest.web.app import create_app
from services.ingest.web.ports import WebPorts
from services.ledger.adapters.postgres import PostgresErasures, PostgresLedger
from services.ledger.eraser import Eraser
from services.ledger.handler import Arrival, handle
from tests.unit.ingest.rig import drawn, known, wav
from tests.unit.transcriber.intake.rig import Worker, World

TOPICS = (AudioUploaded.TOPIC, TranscriptReady.TOPIC, JobStatus.TOPIC)


class Line:
    """The whole way of a call."""

    def __init__(self, database: Database, urls: DatabaseUrls) -> None:
        self.urls = urls
        self.world = World()
        self.store, self.broker = self.world.store, self.world.broker
        self.transcriber = Worker(self.world)
        self.while_exporting: Callable[[], object] = lambda: None
        self.exporter = self._exporter()
        producer = self.broker.producer()
        stops = PostgresStops(database)
        self.relay = Announcer(PostgresOutbox(database), producer, self.broker.log_reader(), Pace(), lambda: 0.0)
        self.stopper = Stopper(stops, self.store, producer)
        self.ledger = PostgresLedger(urls.ledger)
        self.erasures = PostgresErasures(urls.ledger)
        self.eraser = Eraser(self.store, self.erasures, Metrics())
        self._taken: dict[str, int] = {}
        ports = WebPorts(
            store=self.store,
            keys=RecentKeys(PostgresClients(database), 0.0, lambda: 0.0),
            jobs=PostgresJobs(database),
            acceptance=Acceptance(self.store, PostgresSubmissions(database), known, lambda: None),
            stops=stops,
            runs=PostgresRuns(database),
            reports=MemoryReports(PostgresJobs(database), self.store),
            usage=PostgresUsage(database),
            sessions=PostgresSessions(database),
            waveforms=Waveforms(self.store, drawn),
            new_token=lambda: bytes(32),
            webhooks=PostgresWebhookBook(database),
            rates=RateLimiter(MemoryRates(), lambda: 0.0),
            sniff=sniff,
            new_id=lambda: str(uuid.uuid4()),
        )
        key = create_key(urls.ingest, Client(client_id="acme", name="Acme"), SCOPES)
        self.http = TestClient(create_app(ports), headers={"Authorization": f"Bearer {key}"})
        answer = self.http.post("/v1/jobs", content=wav(), params={"operator": "Анна", "queue": "q"})
        self.job_id = answer.json()["job_id"]
        self.url = f"/v1/jobs/{self.job_id}"

    def _exporter(self) -> EventProcessor[TranscriptReady, PutObject]:
        producer = self.broker.producer()

        def exported(event: TranscriptReady, _received_at: datetime) -> Outcome[PutObject]:
            outcome = export(event, self.store)
            self.while_exporting()
            return outcome

        return EventProcessor(
            exported,
            expects=TranscriptReady,
            stage="exporter",
            store=self.store,
            producer=producer,
            guards=Safeguards.of(
                self.store,
                producer,
                group="exporter",
                clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
                retries=RetryTopic(producer),
            ),
            clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        )

    def _new(self, reader: str, topic: str) -> list[Message]:
        name = f"{reader} {topic}"
        messages = self.broker.messages(topic)[self._taken.get(name, 0) :]
        self._taken[name] = self._taken.get(name, 0) + len(messages)
        return messages

    def announce(self) -> None:
        self.relay.step()

    def transcribe(self) -> None:
        for message in self._new("transcriber", AudioUploaded.TOPIC):
            self.transcriber.carry(message)

    def export(self) -> None:
        self.exporter(self._new("exporter", TranscriptReady.TOPIC))

    def record(self) -> None:
        """What the ledger does with all that was said."""
        arrived = [(message, wire.decode(message)) for topic in TOPICS for message in self._new("ledger", topic)]
        self.ledger.apply([handle(arrival(message), event, bill_reprocess=True) for message, event in arrived])

    def go_on(self) -> None:
        """Everything that anybody still has to do."""
        for step in (self.announce, self.transcribe, self.export, self.stopper.step, self.record, self.eraser.step):
            step()

    def erase(self) -> None:
        assert self.http.delete(self.url).status_code == 202

    def erase_and_tell(self) -> None:
        self.erase()
        self.stopper.step()

    def later(self, pause: timedelta) -> None:
        """The eraser's clock is the database's."""
        with psycopg.connect(self.urls.ledger) as connection:
            connection.execute(
                "UPDATE ledger.erasures SET ordered_at = ordered_at - %(p)s, due_at = due_at - %(p)s", {"p": pause}
            )

    def content(self) -> list[str]:
        marker = layout.called_off_key(self.job_id, 1)
        return [blob.key for blob in self.store.list(layout.job_prefix(self.job_id)) if blob.key != marker]

    def close(self) -> None:
        self.ledger.close()
        self.erasures.close()


def arrival(message: Message) -> Arrival:
    return Arrival(message.topic, message.partition, message.offset, message.timestamp)


@pytest.fixture
def line(database: Database, migrated: DatabaseUrls) -> Line:
    return Line(database, migrated)


def queued(line: Line) -> None:
    line.erase()


def announced(line: Line) -> None:
    line.announce()
    line.erase()


def being_transcribed(line: Line) -> None:
    line.announce()
    line.transcriber.engine.meanwhile = line.erase_and_tell
    line.transcribe()


def being_transcribed_and_not_told_yet(line: Line) -> None:
    line.announce()
    line.transcriber.engine.meanwhile = line.erase
    line.transcribe()


def transcribed(line: Line) -> None:
    line.announce()
    line.transcribe()
    line.record()
    line.erase()


def being_exported(line: Line) -> None:
    line.announce()
    line.transcribe()
    line.while_exporting = line.erase_and_tell
    line.export()


def exported_and_not_recorded(line: Line) -> None:
    line.announce()
    line.transcribe()
    line.export()
    line.erase()


def completed(line: Line) -> None:
    line.go_on()
    assert line.http.get(line.url).json()["state"] == "completed"
    line.erase()


def failed(line: Line) -> None:
    line.announce()
    line.store.delete(layout.audio_key(line.job_id))
    (message,) = line.broker.messages(AudioUploaded.TOPIC)
    failure = events.failure(wire.decode(message), "transcriber", "audio_missing")
    line.broker.producer().publish([wire.encode(failure)])
    line.record()
    line.erase()


def canceled(line: Line) -> None:
    line.announce()
    assert line.http.post(f"{line.url}/cancel").status_code == 202
    line.stopper.step()
    line.record()
    assert line.http.get(line.url).json()["state"] == "canceled"
    line.erase()


def canceling(line: Line) -> None:
    assert line.http.post(f"{line.url}/cancel").status_code == 202
    line.erase()


STATES = [
    queued,
    announced,
    being_transcribed,
    being_transcribed_and_not_told_yet,
    transcribed,
    being_exported,
    exported_and_not_recorded,
    completed,
    failed,
    canceled,
    canceling,
]


@pytest.mark.parametrize("reach", STATES, ids=lambda reach: reach.__name__)
def test_wherever_a_job_is_erased_nothing_of_it_is_left_and_the_receipt_says_so(
    line: Line, reach: Callable[[Line], None]
) -> None:
    reach(line)
    # Nothing can be fetched from the answer on, whatever the workers are at.
    for end in ("/audio", "/transcript", "/transcript?format=txt"):
        assert line.http.get(line.url + end).status_code == 410
    for _ in range(3):
        line.go_on()
    line.later(timedelta(seconds=6))
    line.go_on()
    assert line.content() == []
    shown = line.http.get(line.url).json()
    assert (shown["state"], shown["call"]["operator"], shown["links"]) == ("erased", None, {"self": line.url})
    assert shown["erasure"]["erased_at"] is not None
    assert shown["erasure"]["objects"] >= 1
    assert line.http.get("/v1/jobs", params={"q": "анна"}).json()["jobs"] == []
    line.close()


def test_a_result_that_slips_through_after_the_last_look_is_fenced_and_swept(line: Line) -> None:
    """A worker that was frozen between its last look and its put, as by SIGSTOP."""
    line.announce()
    line.erase_and_tell()
    for _ in range(2):
        line.go_on()
    late = layout.transcript_key(line.job_id, 1, "ab" * 32)
    line.store.put(late, "он сказал".encode(), media_type="application/json")
    assert line.http.get(f"{line.url}/transcript").status_code == 410
    line.later(timedelta(seconds=6))
    line.go_on()
    assert line.content() == []
    line.later(timedelta(hours=25))
    line.go_on()
    assert list(line.store.list(layout.job_prefix(line.job_id))) == []
    line.close()


def test_the_usage_of_an_erased_job_stays_and_names_nobody(line: Line) -> None:
    completed(line)
    line.go_on()
    with psycopg.connect(line.urls.ledger) as connection:
        rows = connection.execute("SELECT calls, billed_ms > 0 FROM ledger.usage_v1").fetchall()
    assert rows == [(1, True)]
    line.close()
