"""All four services on a real Kafka that loses its disk: everything accepted ends, and is billed once.

The transcriber is the test build with an engine that takes a moment and writes down which calls it heard.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from pipeline.testing.waiting import eventually
from razgovor.chaos.crew import Crew
from razgovor.chaos.engine_log import engine_calls
from razgovor.chaos.recordings import recording
from razgovor.chaos.worker import Worker
from razgovor.embedded.broker import topics
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.embedded.testing import temporary_folder
from razgovor.peers import KafkaServer
from services.ingest.admin import create_key
from services.ingest.clients import Client
from tests.integration.ingest.kafka_world import make_topics

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(300)]
ENDED_S = 150.0


@contextmanager
def kafka_with_all_topics() -> Iterator[KafkaServer]:
    with temporary_folder() as folder, KafkaServer(folder / "kafka") as server:
        make_topics(server.bootstrap_servers, *topics(), partitions=2)
        yield server


class Line:
    """The services over one store, and what a client and an operator see of them."""

    def __init__(self, folder: Path, urls: DatabaseUrls, kafka: KafkaServer) -> None:
        self.engine_log = folder / "engine.log"
        self._urls = urls
        self._key = create_key(urls.ingest, Client(client_id="acme", name="Acme"))
        scratch = folder / "scratch"
        scratch.mkdir()
        common = {"RAZGOVOR_ENGINE_S": "0.05", "RAZGOVOR_ENGINE_LOG": str(self.engine_log)}
        special = {
            "ingest": {
                "INGEST_PORT": "0",
                "INGEST_DATABASE_URL": urls.ingest,
                "INGEST_RELAY_REVIEW_S": "1",
                "INGEST_REANNOUNCE_AFTER_S": "5",
            },
            "ledger": {"LEDGER_DATABASE_URL": urls.ledger},
            "transcriber": {"TRANSCRIBER_SCRATCH_DIR": str(scratch)},
            "exporter": {},
        }
        self.crew = Crew(
            Worker(
                service,
                0,
                folder,
                {
                    **common,
                    f"{service.upper()}_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
                    f"{service.upper()}_STORE_URL": (folder / "store").as_uri(),
                    **settings,
                },
            )
            for service, settings in special.items()
        )

    def upload(self, numbers: range) -> list[str]:
        (ingest,) = self.crew.workers("ingest")
        with httpx.Client(headers={"Authorization": f"Bearer {self._key}"}, timeout=30) as http:
            answers = [http.post(f"{ingest.fact('address')}/v1/jobs", content=recording(1, n)) for n in numbers]
        assert {answer.status_code for answer in answers} == {202}
        return [answer.json()["job_id"] for answer in answers]

    def states(self) -> dict[str, str]:
        with psycopg.connect(self._urls.ledger) as connection:
            return dict(connection.execute("SELECT job_id, state FROM ledger.runs").fetchall())

    def billed(self) -> Counter[str]:
        with psycopg.connect(self._urls.ledger) as connection:
            rows = connection.execute("SELECT job_id FROM ledger.usage WHERE leg = 'client'").fetchall()
        return Counter(job_id for (job_id,) in rows)

    def heard(self) -> Counter[str]:
        return engine_calls(self.engine_log)


def test_everything_accepted_ends_though_the_brokers_disk_is_lost_twice(
    tmp_path: Path, database_urls: DatabaseUrls
) -> None:
    with kafka_with_all_topics() as kafka:
        line = Line(tmp_path, database_urls, kafka)
        with line.crew as crew:
            jobs = line.upload(range(10))
            eventually(lambda: set(line.states().values()) == {"completed"} and len(line.states()) == 10, deadline_s=60)
            # All is done but that the ledger hears nothing of it: these events are lost with the disk.
            crew.rest(*crew.workers("ledger"))
            jobs += line.upload(range(10, 20))
            eventually(lambda: len(exported(tmp_path)) == len(jobs), deadline_s=60)
            lose_disk(kafka)
            crew.wake(*crew.workers("ledger"))
            jobs += line.upload(range(20, 25))
            eventually(lambda: set(jobs) == completed(line), deadline_s=ENDED_S)
            # And in the midst of everything.
            jobs += line.upload(range(25, 45))
            eventually(lambda: 25 < len(completed(line)) < 45, every_s=0.005)
            lose_disk(kafka)
            eventually(lambda: set(jobs) == completed(line), deadline_s=ENDED_S)
    assert line.billed() == dict.fromkeys(jobs, 1)
    # What had its transcript was announced again, and not heard again.
    assert {line.heard()[f"{job_id}/1"] for job_id in jobs[:20]} == {1}


def completed(line: Line) -> set[str]:
    return {job_id for job_id, state in line.states().items() if state == "completed"}


def exported(folder: Path) -> list[Path]:
    return list((folder / "store").rglob("call.xlsx"))


def lose_disk(kafka: KafkaServer) -> None:
    kafka.wipe()
    kafka.start()
    make_topics(kafka.bootstrap_servers, *topics(), partitions=2)
