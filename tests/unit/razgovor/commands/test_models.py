"""`razgovor models`: tables for people, exit codes for scripts."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from razgovor.commands.models import app
from services.transcriber.models import testing


def run(cache: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), env={"RAZGOVOR_CACHE": str(cache), "COLUMNS": "200"})
    return result.exit_code, result.output


def test_list_shows_every_model_and_what_is_here(tmp_path: Path) -> None:
    testing.fill(tmp_path / "models" / "small")
    status, output = run(tmp_path, "list")
    assert status == 0
    lines = {line.split()[0]: line for line in output.splitlines() if line.strip()}
    assert {"tiny", "base", "small", "medium", "large-v3", "large-v3-turbo"} <= set(lines)
    assert "ready" in lines["small"]
    assert "absent" in lines["medium"]
    assert "~3100 MB" in lines["large-v3"]
    assert str(tmp_path / "models") in output


def test_get_of_a_model_that_is_here_says_where_and_what(tmp_path: Path) -> None:
    folder = testing.fill(tmp_path / "models" / "small")
    status, output = run(tmp_path, "get", "small")
    assert status == 0
    assert str(folder) in output
    assert testing.sha256(testing.FILES["model.bin"]) in output


def test_get_of_an_unknown_model_fails_with_the_names(tmp_path: Path) -> None:
    status, output = run(tmp_path, "get", "gigantic")
    assert status == 1
    assert "large-v3-turbo" in output


def test_get_of_a_damaged_model_fails(tmp_path: Path) -> None:
    testing.fill(tmp_path / "models" / "small", {"model.bin": b"alone"})
    status, output = run(tmp_path, "get", "small")
    assert status == 1
    assert "tokenizer.json missing" in output


def test_verify_takes_all_that_are_here(tmp_path: Path) -> None:
    for name in ("tiny", "small"):
        testing.fill(tmp_path / "models" / name)
    status, output = run(tmp_path, "verify")
    assert status == 0
    assert "tiny" in output
    assert "small" in output


def test_verify_fails_when_a_file_changed(tmp_path: Path) -> None:
    folder = testing.fill(tmp_path / "models" / "small")
    run(tmp_path, "get", "small")
    (folder / "model.bin").write_bytes(b"another")
    status, output = run(tmp_path, "verify", "small")
    assert status == 1
    assert "changed" in output


def test_verify_fails_when_there_is_nothing_to_verify(tmp_path: Path) -> None:
    assert run(tmp_path, "verify")[0] == 1
    assert run(tmp_path, "verify", "base")[0] == 1


def test_the_option_goes_before_the_environment(tmp_path: Path) -> None:
    status, output = run(tmp_path / "environment", "list", "--cache", str(tmp_path / "option"))
    assert status == 0
    assert str(tmp_path / "option" / "models") in output
