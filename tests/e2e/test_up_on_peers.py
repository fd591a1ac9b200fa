"""`razgovor up` on a real Kafka, and with nothing of its own: Kafka with passwords, PostgreSQL and S3 elsewhere."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import boto3
import psycopg
import pytest

from pipeline.testing.waiting import eventually
from razgovor.embedded.testing import temporary_folder
from razgovor.peers import KafkaOptions, KafkaServer, MinioServer, PostgresServer
from tests.e2e.command import run_razgovor
from tests.e2e.lasting import SAMPLES, client_of, data_folder, key_of, state, submit, up

pytestmark = [pytest.mark.peers, pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
CALL = SAMPLES / "people" / "golos_02.wav"


@pytest.fixture
def data() -> Iterator[Path]:
    with data_folder() as folder:
        yield folder


def test_its_own_kafka_keeps_its_log_over_a_restart(data: Path) -> None:
    with up(data, "--broker", "kafka") as url:
        key = key_of(data)
        with client_of(url, key) as client:
            done = submit(client, CALL)
            eventually(lambda: state(client, done) == "completed", deadline_s=180)
        broker = json.loads((data / "run" / "broker.json").read_text(encoding="utf-8"))["address"]
    with up(data, "--broker", "kafka") as url, client_of(url, key) as client:
        assert json.loads((data / "run" / "broker.json").read_text(encoding="utf-8"))["address"] == broker
        assert run_razgovor("topics", "check", "--bootstrap-servers", broker, "--partitions", "12").returncode == 0
        second = submit(client, CALL)
        eventually(lambda: state(client, second) == "completed", deadline_s=180)
        assert state(client, done) == "completed"


def bucket(minio: MinioServer) -> str:
    client = boto3.client(
        "s3",
        endpoint_url=minio.endpoint,
        region_name=minio.region,
        aws_access_key_id=minio.access_key,
        aws_secret_access_key=minio.secret_key,
    )
    client.create_bucket(Bucket="calls")
    client.close()
    return f"s3://calls?endpoint={minio.endpoint}&region={minio.region}"


def analysed(folder: Path, minio: MinioServer, kafka: KafkaServer) -> list[tuple[str, str]]:
    """What the example of a subscriber keeps of the stack's calls, as the store's user that reads transcripts alone."""
    secrets, database = folder / "secrets", folder / "analytics.db"
    secrets.mkdir(mode=0o700)
    owner = {
        "RAZGOVOR_STORE_URL": f"s3://calls?endpoint={minio.endpoint}&region={minio.region}",
        "RAZGOVOR_STORE_ACCESS_KEY": minio.access_key,
        "RAZGOVOR_STORE_SECRET_KEY": minio.secret_key,
    }
    plan = ("--from", str(ROOT / "compose" / "store"), "--users", "minio", "--secrets", str(secrets))
    assert run_razgovor("store", "apply", *plan, environment=owner).returncode == 0
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "docs" / "examples" / "subscriber.py"), "--schemas", str(ROOT / "schemas")),
            *("--bootstrap-servers", kafka.sasl_servers, "--kafka", "security.protocol=SASL_PLAINTEXT"),
            *("--kafka", "sasl.mechanisms=SCRAM-SHA-512", "--kafka", "sasl.username=admin"),
            *("--kafka", "sasl.password=admins-word", "--store-endpoint", minio.endpoint, "--bucket", "calls"),
            *("--region", minio.region, "--database", str(database), "--until-quiet-s", "5"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={
            **os.environ,
            "AWS_ACCESS_KEY_ID": "razgovor-analytics",
            "AWS_SECRET_ACCESS_KEY": (secrets / "analytics_store_secret_key").read_text(encoding="utf-8").strip(),
        },
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with closing(sqlite3.connect(database)) as kept:
        return kept.execute("SELECT job_id, said FROM calls").fetchall()


def test_it_runs_on_servers_elsewhere_with_passwords(data: Path) -> None:
    options = KafkaOptions(users={"admin": "admins-word"})
    with (
        temporary_folder() as folder,
        KafkaServer(folder / "kafka", options) as kafka,
        MinioServer(folder / "minio") as minio,
        PostgresServer(folder / "postgres") as postgres,
    ):
        environment = {
            "RAZGOVOR_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "RAZGOVOR_KAFKA_USERNAME": "admin",
            "RAZGOVOR_KAFKA_PASSWORD": "admins-word",
            "RAZGOVOR_STORE_ACCESS_KEY": minio.access_key,
            "RAZGOVOR_STORE_SECRET_KEY": minio.secret_key,
        }
        elsewhere = ("--bootstrap-servers", kafka.sasl_servers, "--database-url", postgres.urls("calls").admin)
        with up(data, *elsewhere, "--store-url", bucket(minio), environment=environment, least=4) as url:
            key = key_of(data)
            with client_of(url, key) as client:
                job = submit(client, CALL)
                eventually(lambda: state(client, job) == "completed", deadline_s=180)
                text = client.get(f"/v1/jobs/{job}/transcript", params={"format": "txt"}).text
            assert "яблоки" in text.lower()
            kept = analysed(folder, minio, kafka)
        assert [found[0] for found in kept] == [job]
        assert "яблоки" in kept[0][1].lower()
        assert not list((data / "store").glob("jobs/*"))
        with psycopg.connect(postgres.urls("calls").admin) as connection:
            assert connection.execute("SELECT count(*) FROM ledger.jobs").fetchone() == (1,)
        postgres.remove()


def test_a_wrong_password_is_told_in_words(data: Path) -> None:
    with temporary_folder() as folder, KafkaServer(folder / "kafka", KafkaOptions(users={"admin": "word"})) as kafka:
        answer = run_razgovor(
            "up",
            "--data",
            str(data),
            "--bootstrap-servers",
            kafka.sasl_servers,
            environment={
                "RAZGOVOR_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
                "RAZGOVOR_KAFKA_USERNAME": "admin",
                "RAZGOVOR_KAFKA_PASSWORD": "wrong",
            },
        )
    assert answer.returncode == 1
    assert "Traceback" not in answer.stdout
    assert "wrong" not in answer.stdout
