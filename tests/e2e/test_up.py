"""`razgovor up` as an operator runs it: it lasts, it survives a restart, it leaves nothing running."""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from pipeline.testing.waiting import eventually
from tests.e2e.command import run_razgovor, start_razgovor

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(600)]

SAMPLES = Path(__file__).parents[2] / "razgovor" / "demo" / "samples"


@contextmanager
def up(data: Path) -> Iterator[str]:
    """The address of a running stack; ends it with Ctrl-C's signal and holds that nothing of it is left."""
    process = start_razgovor("up", "--data", str(data))
    try:
        yield address(process)
    finally:
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=90)
        assert process.returncode == 0, printed
        assert len(family) >= 6
        eventually(lambda: not any(one.is_running() for one in family), deadline_s=10)


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if found := re.search(r"answers at (http://\S+)", printed):
            return found[1]
    raise AssertionError(printed)


def key_of(data: Path) -> str:
    answer = run_razgovor("keys", "create", "--client", "acme", "--data", str(data))
    assert answer.returncode == 0, answer.stdout
    return answer.stdout.strip().splitlines()[-1]


def submit(client: httpx.Client, recording: Path) -> str:
    with recording.open("rb") as stream:
        answer = client.post("/v1/jobs", files={"file": stream}, data={"formats": "txt"})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


def state(client: httpx.Client, job_id: str) -> str:
    with suppress(httpx.HTTPError):
        return str(client.get(f"/v1/jobs/{job_id}").json().get("state"))
    return ""


@pytest.fixture
def data() -> Iterator[Path]:
    # The runner's own folders are 0700, and as root the database runs as another account: it must be able to pass.
    with tempfile.TemporaryDirectory(prefix="razgovor-e2e-") as name:
        Path(name).chmod(0o711)
        yield Path(name) / "data"


def test_what_was_accepted_is_finished_after_a_restart_and_nothing_stays_running(data: Path) -> None:
    with up(data) as url:
        key = key_of(data)
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
            done = submit(client, SAMPLES / "people" / "golos_02.wav")
            eventually(lambda: state(client, done) == "completed", deadline_s=120)
            text = client.get(f"/v1/jobs/{done}/transcript", params={"format": "txt"}).text
            assert "яблоки" in text.lower()
            waiting = submit(client, SAMPLES / "clinic.wav")
    with up(data) as url, httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        assert state(client, done) == "completed"
        eventually(lambda: state(client, waiting) == "completed", deadline_s=180)
        assert client.get("/", follow_redirects=True).status_code == 200
