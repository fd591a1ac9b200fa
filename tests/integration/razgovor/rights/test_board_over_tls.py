"""The live board as a process of its own, by TLS with a password and by TLS with a certificate."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.contracts.events import OF_JOBS
from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.topology import Acl
from pipeline.testing.waiting import eventually
from razgovor.embedded.owned_process import module_command, own_environment
from tests.integration.pipeline.stream.secured import environment
from tests.integration.razgovor.rights.deployment import Deployment

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(300)]


@contextmanager
def board(connection: KafkaConnection, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A board; what it shows and says is in files of the folder."""
    told = {**environment(connection, "BOARD"), "BOARD_SHOW_EVERY_S": "0.2"}
    files = {"CERTIFICATE_FILE": connection.certificate_file, "KEY_FILE": connection.key_file}
    told |= {f"BOARD_KAFKA_{name}": str(path) for name, path in files.items() if path is not None}
    with (folder / "shown").open("wb") as shown, (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            module_command("services.ledger.board"), env=own_environment(told), stdout=shown, stderr=said
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(20)


def by_certificate(deployment: Deployment) -> KafkaConnection:
    """As a user that a certificate names; it has no right yet but what is given here."""
    user = "CN=board"
    rights = [Acl(user, "topic", topic, "read") for topic in OF_JOBS]
    KafkaAdmin(deployment.kafka.open).allow([*rights, Acl(user, "group", "razgovor-board-", "read", prefixed=True)])
    return deployment.kafka.with_certificate(deployment.kafka.certificates.client("board"))


def by_password(deployment: Deployment) -> KafkaConnection:
    return deployment.kafka.as_user("operator")


@pytest.mark.parametrize("way", [by_password, by_certificate])
def test_it_shows_what_goes_through_the_topics(
    deployment: Deployment, tmp_path: Path, way: Callable[[Deployment], KafkaConnection]
) -> None:
    job_id = deployment.submit(deployment.recording())
    assert deployment.end(job_id) == "completed"

    def completed() -> bool:
        lines = (tmp_path / "shown").read_text(encoding="utf-8").splitlines()
        shown = json.loads(lines[-1])["lines"] if lines else []
        return any(line["state"] == "completed" and line["client_id"] == "acme" and line["jobs"] for line in shown)

    with board(way(deployment), tmp_path) as process:
        eventually(completed, deadline_s=90, every_s=0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_wrong_password_is_told_in_words(deployment: Deployment, tmp_path: Path) -> None:
    wrong = deployment.kafka.as_user("operator", "not-it")
    with board(wrong, tmp_path) as process:
        assert process.wait(60) == 70
    said = (tmp_path / "said").read_text(encoding="utf-8")
    assert "_AUTHENTICATION" in said
    assert "not-it" not in said
    assert (tmp_path / "shown").read_text(encoding="utf-8") == ""
