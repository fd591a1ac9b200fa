"""`razgovor transcriber tune` on a model of a megabyte: what it says of words and speeds here means nothing."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from razgovor.__main__ import app
from razgovor.demo import samples
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.postgres import Database, PostgresClients, PostgresSubmissions, migrate
from services.transcriber.testing.tiny_whisper import build
from tests.integration.ingest.repositories import ACME, submission


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """A folder with one call and what was said in it."""
    folder = tmp_path / "calls"
    folder.mkdir()
    shutil.copy(samples.folder() / "clinic.wav", folder)
    (folder / "clinic.json").write_text(json.dumps({"channels": ["раз два", "три"]}), encoding="utf-8")
    return folder


def wait_in(database_url: str, *durations_ms: int | None) -> None:
    migrate(database_url)
    database = Database(database_url)
    database.open()
    PostgresClients(database).add_key(ACME, "0123456789ab", bytes(32), ())
    for duration_ms in durations_ms:
        one = submission()
        audio = replace(one.audio, declared_duration_ms=duration_ms)
        PostgresSubmissions(database).submit(replace(one, audio=audio), None)
    database.close()


def test_settings_and_what_the_machine_carries_are_told_and_when_what_waits_is_done(
    tmp_path: Path, calls: Path, database_urls: DatabaseUrls
) -> None:
    wait_in(database_urls.ingest, 3_600_000, 1_800_000)
    chosen = tmp_path / "chosen.env"

    result = CliRunner().invoke(
        app,
        [
            *("transcriber", "tune", "--model", str(build(tmp_path / "tiny")), "--audio", str(calls)),
            *("--limit-s", "0", "--env-file", str(chosen), "--database-url", database_urls.ingest),
        ],
        catch_exceptions=False,
    )

    assert result.exit_code == 0, result.output
    assert "no time left" in result.output
    assert "2 calls wait (1.5 h): done" in result.output
    assert "45,000" in result.output
    assert "recording 16,00" in result.output  # two channels of 8 bits, 8,000 times a second
    lines = chosen.read_text(encoding="utf-8").splitlines()
    assert "TRANSCRIBER_BEAM_SIZE=5" in lines
    assert all(line in result.output for line in lines)


@pytest.mark.parametrize(
    ("reference", "why"), [(None, "no recording has a reference"), ({"text": ""}, "nobody speaks")]
)
def test_without_anything_said_there_is_nothing_to_tune_by(
    tmp_path: Path, calls: Path, reference: dict[str, str] | None, why: str
) -> None:
    (calls / "clinic.json").unlink()
    if reference is not None:
        (calls / "clinic.json").write_text(json.dumps(reference), encoding="utf-8")

    result = CliRunner().invoke(
        app, ["transcriber", "tune", "--model", str(build(tmp_path / "tiny")), "--audio", str(calls)]
    )

    assert result.exit_code == 2
    assert why in result.output
