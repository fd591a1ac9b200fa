"""`razgovor watch test`, as an operator runs it: nothing is opened, nothing has to run."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from razgovor.__main__ import app

MIX = "mix_101_e00042__2026_01_31__14_05_12_347.mp3"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["watch", "test", *words], env={"COLUMNS": "200"})


def test_it_shows_what_a_name_says() -> None:
    shown = run("asterisk", "--zone", "Europe/Moscow", "--", "in-101-7916-20260131-140512-1769857512.42.wav")
    assert shown.exit_code == 0, shown.output
    for text in ("2026-01-31T14:05:12+03:00", "inbound", "101", "7916", "1769857512.42", "1 of 1 read"):
        assert text in shown.stdout


def test_without_a_zone_a_time_is_the_pbxs_own() -> None:
    (found,) = json.loads(run("oktell", MIX, "--json").stdout)
    assert found["reads"] == {"lines": "101 e00042", "local_time": "2026-01-31 14:05:12.347000"}


def test_the_journal_adds_what_the_name_does_not_say(tmp_path: Path) -> None:
    export = tmp_path / "connections.csv"
    export.write_text(
        "IdChain;TimeStart;ConnectionType;ALineNum;BLineNum;AOutNumber;BOutNumber\n"
        "C-1;2026-01-31 14:05:12.347;5;e00042;101;7916;7495\n"
    )
    (found,) = json.loads(run("oktell", MIX, "--journal", str(export), "--zone", "Europe/Moscow", "--json").stdout)
    assert found["reads"]["direction"] == "inbound"
    assert (found["reads"]["operator"], found["reads"]["customer_number"]) == ("101", "7916")
    assert found["reads"]["chain_id"] == "C-1"


def test_a_name_of_another_pattern_is_told_and_fails_the_command() -> None:
    shown = run("oktell", MIX, "other.wav")
    assert shown.exit_code == 1
    assert "not of this pattern" in shown.stdout
    assert "1 of 2 read" in shown.stdout


def test_a_pattern_of_the_watch_file_and_one_on_the_line_are_tried(tmp_path: Path) -> None:
    watch_file = tmp_path / "watch.toml"
    watch_file.write_text('[patterns.ours]\npaths = ["{operator}_{call_id}.wav"]\n')
    for words in (("ours", "--watch-file", str(watch_file)), ("{operator}_{call_id}.wav",)):
        (found,) = json.loads(run(*words, "anna_7.wav", "--json").stdout)
        assert found["reads"] == {"operator": "anna", "call_id": "7"}


def test_what_cannot_be_tried_says_why() -> None:
    assert "there is no pattern nope" in run("nope", "x").stderr
    assert "put a character between" in run("{operator}{customer}", "x").stderr
    assert "no zone that is known" in run("oktell", "x", "--zone", "Mars").stderr
    assert "No such file" in run("oktell", "x", "--journal", "/nothing").stderr


def test_names_of_strangers_neither_move_the_cursor_nor_colour_the_table() -> None:
    shown = run("{operator}_{call_id}", "\x1b[31mred_\u202e7.wav", "[bold]x_1.wav")
    assert "\x1b[31m" not in shown.stdout
    assert "\u202e" not in shown.stdout
    assert "[bold]x" in shown.stdout
