"""`razgovor up` as a black box: started, spoken to over REST, ended with Ctrl-C's signal."""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import httpx
import psutil

from pipeline.testing.waiting import eventually
from tests.e2e.command import run_razgovor, start_razgovor

SAMPLES: Final = Path(__file__).parents[2] / "razgovor" / "demo" / "samples"


@contextmanager
def up(data: Path, *arguments: str, environment: Mapping[str, str] | None = None, least: int = 6) -> Iterator[str]:
    """The address of a running stack; ends it and holds that nothing of its processes, `least` at least, is left."""
    process = start_razgovor("up", "--data", str(data), *arguments, environment=environment)
    try:
        yield address(process)
    finally:
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=90)
        assert process.returncode == 0, printed
        assert len(family) >= least
        eventually(lambda: not any(one.is_running() for one in family), deadline_s=10)


def address(process: subprocess.Popen[str]) -> str:
    """What it says of where it answers."""
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if found := re.search(r"answers at (http://\S+)", printed):
            return found[1]
    raise AssertionError(printed)


def key_of(data: Path) -> str:
    """A new key of a client."""
    answer = run_razgovor("keys", "create", "--client", "acme", "--data", str(data))
    assert answer.returncode == 0, answer.stdout
    return answer.stdout.strip().splitlines()[-1]


def client_of(url: str, key: str) -> httpx.Client:
    """Speaks to a running stack."""
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)


def submit(client: httpx.Client, recording: Path) -> str:
    """The id of an accepted job."""
    with recording.open("rb") as stream:
        answer = client.post("/v1/jobs", files={"file": stream}, data={"formats": "txt"})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


def state(client: httpx.Client, job_id: str) -> str:
    """A job's state; nothing while the service does not answer."""
    with suppress(httpx.HTTPError):
        return str(client.get(f"/v1/jobs/{job_id}").json().get("state"))
    return ""


@contextmanager
def data_folder() -> Iterator[Path]:
    """A folder for a stack's data."""
    # The runner's own folders are 0700, and as root the database runs as another account: it must be able to pass.
    with tempfile.TemporaryDirectory(prefix="razgovor-e2e-") as name:
        Path(name).chmod(0o711)
        yield Path(name) / "data"
