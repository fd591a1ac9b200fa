"""`razgovor watch run|list|retry` over PostgreSQL, a folder as the store, and folders to watch, as an operator runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from typer.testing import CliRunner, Result

from pipeline.testing.waiting import eventually
from razgovor.__main__ import app
from razgovor.embedded.postgres_access import DatabaseUrls
from tests.unit.ingest.rig import wav

CLIENT = "acme"
NAMES = [f"202601{day}/in-101-7916-202601{day}-140512-{day}.wav" for day in ("29", "30", "31")]


class Desk:
    def __init__(self, folder: Path, urls: DatabaseUrls) -> None:
        self.source = folder / "monitor"
        self._urls = urls
        self._environment = {
            "INGEST_DATABASE_URL": urls.ingest,
            "INGEST_STORE_URL": (folder / "store").as_uri(),
            "INGEST_WATCH_FILE": str(folder / "watch.toml"),
            "COLUMNS": "300",
        }
        (folder / "watch.toml").write_text(
            f'[watchers.pbx]\nclient = "{CLIENT}"\nsource = "{self.source}"\npattern = "asterisk"\n'
            'zone = "Europe/Moscow"\nfolders = "%Y%m%d"\npoll_s = 0.1\n'
        )
        for number, name in enumerate(NAMES):
            self.put(name, wav(bytes([number, 0]) * 16_000))

    def put(self, name: str, data: bytes) -> None:
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, list(words), env=self._environment)

    def says(self, *words: str) -> Any:
        result = self.run("watch", *words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def started(self, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "razgovor", "watch", "run", *words]
        return subprocess.Popen(command, env={**os.environ, **self._environment}, stdout=subprocess.DEVNULL)

    def submitted(self) -> list[tuple[str, str]]:
        with psycopg.connect(self._urls.ingest) as connection:
            rows = connection.execute("SELECT call_id, priority FROM ingest.submissions ORDER BY call_id").fetchall()
        return [(str(row[0]), str(row[1])) for row in rows]


@pytest.fixture
def desk(tmp_path: Path, database_urls: DatabaseUrls) -> Desk:
    desk = Desk(tmp_path, database_urls)
    made = desk.run("clients", "create", CLIENT)
    assert made.exit_code == 0, made.output
    return desk


def test_a_span_of_past_days_is_taken_at_bulk_priority_and_once(desk: Desk) -> None:
    for told in ("2 taken, 0 refused, 0 waiting, 0 seen before", "0 taken, 0 refused, 0 waiting, 2 seen before"):
        filled = desk.run("watch", "run", "--backfill", "2026-01-29", "2026-01-30")
        assert filled.exit_code == 0, filled.output
        assert f"pbx: 2 found, {told}" in filled.stdout
        assert desk.submitted() == [("29", "bulk"), ("30", "bulk")]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--backfill", "2026-01-30", "2026-01-29"), "its first day first"),
        (("--backfill", "yesterday", "2026-01-29"), "a day, as 2026-01-31"),
        (("--watcher", "nobody"), "there is no watcher nobody"),
        (("--watch-file", "/nothing.toml"), "No such file"),
    ],
)
def test_what_cannot_be_watched_says_why(desk: Desk, words: tuple[str, ...], why: str) -> None:
    refused = desk.run("watch", "run", *words)
    assert refused.exit_code != 0
    assert why in refused.output


def test_a_source_that_is_not_there_fails_a_backfill(desk: Desk) -> None:
    desk.source.rename(desk.source.with_name("elsewhere"))
    refused = desk.run("watch", "run", "--backfill", "2026-01-29", "2026-01-30")
    assert refused.exit_code == 1
    assert "source_missing" in refused.stdout


def test_what_was_not_taken_is_listed_with_its_reason_and_can_be_tried_again(desk: Desk) -> None:
    desk.put("20260129/text.wav", b"no sound at all" * 100)
    desk.put("20260129/in-101-7916-20260129-140512-x.wav", b"no sound at all" * 100)
    assert desk.run("watch", "run", "--backfill", "2026-01-29", "2026-01-29").exit_code == 0
    listed = desk.says("list", "--failed")
    assert {one["file"]: one["reason"] for one in listed} == {
        "20260129/text.wav": "pattern_mismatch",
        "20260129/in-101-7916-20260129-140512-x.wav": "unsupported_media",
    }
    assert "pattern_mismatch" in desk.run("watch", "list", "--failed").stdout
    assert desk.says("list", "--failed", "--watcher", "another") == []
    retried = desk.run("watch", "retry", "pbx", "--reason", "pattern_mismatch")
    assert retried.stdout.strip() == "1 files will be looked at again"
    assert len(desk.says("list", "--failed")) == 1
    assert "no watcher nobody" in desk.run("watch", "retry", "nobody").stderr


def test_a_process_of_its_own_watches_until_it_is_told_to_stop(desk: Desk) -> None:
    day = f"{datetime.now(ZoneInfo('Europe/Moscow')):%Y%m%d}"
    desk.put(f"{day}/in-101-7916-{day}-140512-today.wav", wav())
    process = desk.started()
    try:
        eventually(lambda: [one["taken"] for one in desk.says("list")] == [1], deadline_s=60)
        assert desk.submitted() == [("today", "normal")]
        (told,) = desk.says("list")
        assert (told["watcher"], told["client"], told["found"], told["fault"]) == ("pbx", CLIENT, 1, None)
        assert "pbx" in desk.run("watch", "list").stdout
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
