"""Commands and services that Kafka refuses: how they end and what they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.service import EXIT_FATAL
from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.topology import Acl
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ledger.adapters.postgres import PostgresLedger
from tests.integration.pipeline.stream.secured import ACLS, PARTITIONS, SecuredKafka, environment, password, take_away

pytestmark = pytest.mark.peers

#: Starting Python on a busy machine takes longer than being refused.
ENDS_WITHIN_S = 60.0


def razgovor(connection: KafkaConnection, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "razgovor", *arguments],
        env={**os.environ, **environment(connection, "RAZGOVOR")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_administrator_applies_topics_and_rights_and_sees_what_somebody_has_beyond_them(kafka: SecuredKafka) -> None:
    admin, arguments = kafka.as_user("admin"), ("--acls", str(ACLS), "--partitions", str(PARTITIONS))
    applied = razgovor(admin, "topics", "apply", *arguments)
    assert (applied.returncode, applied.stdout.strip()) == (0, "all is as it should be")
    assert razgovor(admin, "topics", "check", *arguments).returncode == 0
    beyond = Acl("exporter", "topic", "audio.uploaded", "write")
    KafkaAdmin(kafka.open).allow([beyond])
    checked = razgovor(admin, "topics", "check", *arguments)
    take_away(kafka, [beyond])
    assert checked.returncode == 1
    assert "write topic audio.uploaded" in checked.stdout
    more = razgovor(admin, "topics", "check", "--partitions", "6")
    assert more.returncode == 1
    assert "at least 6" in more.stdout


def test_who_is_no_administrator_applies_nothing(kafka: SecuredKafka) -> None:
    for connection, named in (
        (kafka.as_user("exporter"), "AUTHORIZATION_FAILED"),
        (kafka.as_user("admin", "wrong"), "_AUTHENTICATION"),
    ):
        done = razgovor(connection, "topics", "apply", "--acls", str(ACLS))
        assert (done.returncode, done.stdout) == (EXIT_FATAL, "")
        assert named in done.stderr
        assert password("exporter") not in done.stderr


def started(service: str, settings: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as stderr:
        command = [sys.executable, "-m", f"services.{service}"]
        return subprocess.Popen(command, env={**os.environ, **settings}, stdin=subprocess.DEVNULL, stderr=stderr)


def ended(process: subprocess.Popen[bytes], log: Path) -> tuple[int, str]:
    """The exit status and the last line of the log."""
    try:
        status = process.wait(ENDS_WITHIN_S)
    finally:
        process.kill()
    return status, log.read_text(encoding="utf-8").strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("said", "named"), [("wrong", "_AUTHENTICATION"), (None, "(TOPIC|GROUP|CLUSTER)_AUTHORIZATION_FAILED")]
)
def test_a_service_that_is_refused_ends_with_70_and_says_why(
    kafka: SecuredKafka, tmp_path: Path, said: str | None, named: str
) -> None:
    user = "exporter" if said else "stranger"
    settings = {
        **environment(kafka.as_user(user, said), "EXPORTER"),
        "EXPORTER_STORE_URL": (tmp_path / "store").as_uri(),
        "EXPORTER_STATUS_FILE": str(tmp_path / "status.json"),
    }
    log = tmp_path / "log"
    status, last = ended(started("exporter", settings, log), log)
    assert status == EXIT_FATAL
    assert json.loads(last)["event"] == "fatal"
    assert re.search(named, json.loads(last)["error"])
    assert re.search(named, (tmp_path / "status.json").read_text(encoding="utf-8"))
    assert password(user) not in log.read_text(encoding="utf-8")


def test_ingest_that_is_refused_by_kafka_ends_with_70_and_says_why(
    kafka: SecuredKafka, database_urls: DatabaseUrls, tmp_path: Path
) -> None:
    ledger = PostgresLedger(database_urls.ledger)
    ledger.migrate()
    ledger.close()
    settings = {
        **environment(kafka.as_user("ingest", "wrong"), "INGEST"),
        "INGEST_STORE_URL": (tmp_path / "store").as_uri(),
        "INGEST_DATABASE_URL": database_urls.ingest,
        "INGEST_PORT": "0",
    }
    log = tmp_path / "log"
    status, last = ended(started("ingest", settings, log), log)
    assert status == EXIT_FATAL
    assert "_AUTHENTICATION" in json.loads(last)["error"]
