"""How fast the relay announces: a backlog in PostgreSQL, a Kafka of its own, and nobody who takes anything.

    python bench/relay.py --jobs 10000

Jobs a second from the outbox to Kafka's acknowledgement and the mark, in steps of 500. Needs what `make peers` installs.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Final

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from rich.console import Console

from pipeline.contracts.call_info import CallInfo
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaLogReader, KafkaProducer
from razgovor.embedded.testing import temporary_folder, temporary_postgres
from razgovor.peers import KafkaServer
from services.ingest.adapters.postgres import Database, PostgresOutbox, PostgresSubmissions
from services.ingest.admin import create_key
from services.ingest.announcer import Announcer, Step
from services.ingest.clients import Client
from services.ingest.pace import Pace
from services.ingest.submissions import StoredAudio, Submission
from services.ledger.adapters.postgres import PostgresLedger

OUT: Final = Path(__file__).parent / "out" / "relay.json"
TOPIC: Final = "audio.uploaded"
PARTITIONS: Final = 48
CLIENTS: Final = 20


def submission(number: int) -> Submission:
    """One of many clients' jobs."""
    job_id = f"job-{number}"
    return Submission(
        job_id=job_id,
        run=1,
        client_id=f"client-{number % CLIENTS}",
        call_id=job_id,
        priority=("interactive", "normal", "bulk")[number % 3],
        audio=StoredAudio(key=f"jobs/{job_id}/audio", sha256="ab" * 32, size_bytes=1, media_type="audio/wav"),
        call_info=CallInfo(),
        call_info_key=f"jobs/{job_id}/call.json",
        channel_roles=("operator", "customer"),
        language="ru",
        locale="ru",
        formats=("txt", "vtt", "xlsx"),
    )


def main() -> None:
    """Fill, announce, print, write bench/out/relay.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=5_000)
    jobs = parser.parse_args().jobs
    with temporary_folder() as folder, KafkaServer(folder / "kafka") as kafka, temporary_postgres() as server:
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
        admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(30)
        urls = server.create_database("bench")
        ledger = PostgresLedger(urls.ledger)
        ledger.migrate()
        ledger.close()
        for number in range(CLIENTS):
            create_key(urls.ingest, Client(client_id=f"client-{number}", name="x"))
        database = Database(urls.ingest)
        database.open()
        submissions = PostgresSubmissions(database)
        for number in range(jobs):
            submissions.submit(submission(number), None)
        connection = KafkaConnection(bootstrap_servers=kafka.bootstrap_servers)
        producer, reader = KafkaProducer(connection), KafkaLogReader(connection)
        relay = Announcer(PostgresOutbox(database), producer, reader, Pace(max_announced=10 * jobs), time.monotonic)
        started_s, spent_s, steps = time.monotonic(), time.process_time(), 0
        while relay.step() is not Step.NOTHING:
            steps += 1
        took_s, cpu_s = time.monotonic() - started_s, time.process_time() - spent_s
        producer.close()
        reader.close()
        database.close()
    facts = {"jobs": jobs, "steps": steps, "jobs_per_s": jobs / took_s, "cpu_ms_per_job": cpu_s / jobs * 1000}
    Console().print(facts)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(facts, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
