"""The rehearsal: a backup of a stack at work, restored elsewhere. What was done is readable, what was not is done there."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from pipeline.testing.waiting import eventually
from razgovor.backup.carrying import back_up, bring_back
from razgovor.cache import cache_folder
from razgovor.client import IngestClient
from razgovor.demo import samples
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.testing import temporary_folder
from razgovor.stack.specs import TRANSCRIBER, StackOptions
from razgovor.stack.stack import Stack
from services.ingest.admin import create_key
from services.ingest.clients import Client

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(900)]
CALL = samples.folder() / "people" / "golos_02.wav"


def stack_in(folder: Path) -> Stack:
    options = StackOptions(fallback_root=folder / "fallback")
    return Stack(folder, model="base", model_cache=cache_folder(os.environ), options=options)


def submit(stack: Stack, key: str) -> str:
    with IngestClient.connect(stack.ingest_url, key) as client:
        return client.submit(CALL, {"formats": "txt"})


def completed(stack: Stack, key: str, job_id: str) -> bool:
    with IngestClient.connect(stack.ingest_url, key) as client:
        return client.job(job_id).state == "completed"


def text(stack: Stack, key: str, job_id: str) -> str:
    with IngestClient.connect(stack.ingest_url, key) as client:
        return client.transcript(job_id, "txt").decode("utf-8").lower()


def test_a_backup_of_a_stack_at_work_comes_to_life_elsewhere() -> None:
    with temporary_folder() as folder:
        with stack_in(folder / "old") as old:
            key = create_key(old.database_urls.ingest, Client(client_id="acme", name="acme"))
            done = submit(old, key)
            eventually(lambda: completed(old, key, done), deadline_s=180)
            transcriber = old.pid(TRANSCRIBER)
            assert transcriber is not None
            os.kill(transcriber, signal.SIGSTOP)  # so that what comes now is surely unfinished
            try:
                unfinished = submit(old, key)
                assert back_up(folder / "old", folder / "backup") > 0
            finally:
                os.kill(transcriber, signal.SIGCONT)
            later = submit(old, key)  # the backup does not know it
        bring_back(folder / "backup", folder / "new", fallback_root=folder / "fallback")
        with pytest.raises(EmbeddedFailed, match="is there already"):
            bring_back(folder / "backup", folder / "new", fallback_root=folder / "fallback")
        with stack_in(folder / "new") as new:
            assert completed(new, key, done)
            assert "яблоки" in text(new, key, done)
            eventually(lambda: completed(new, key, unfinished), deadline_s=240)
            assert "яблоки" in text(new, key, unfinished)
            assert not list(new.folder.store.glob(f"jobs/{later}/**/transcript.json"))


def test_a_stack_that_does_not_run_is_not_backed_up() -> None:
    with temporary_folder() as folder, pytest.raises(EmbeddedFailed, match="no database runs"):
        back_up(folder / "nothing", folder / "backup")
