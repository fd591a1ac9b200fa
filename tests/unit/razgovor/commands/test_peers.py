from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from razgovor.commands.peers import app


def test_a_peer_that_there_is_not_is_a_wrong_command_line(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["start", "--folder", str(tmp_path), "--only", "kafka,rabbit"])
    assert answer.exit_code == 2
    assert "rabbit" in answer.output
    assert list(tmp_path.iterdir()) == []


def test_status_of_none_is_an_error_and_stop_of_none_is_not(tmp_path: Path) -> None:
    status = CliRunner().invoke(app, ["status", "--folder", str(tmp_path)])
    assert status.exit_code == 1
    assert "make peers" in status.output
    stop = CliRunner().invoke(app, ["stop", "--folder", str(tmp_path)])
    assert (stop.exit_code, stop.output.strip()) == (0, "none were running")
