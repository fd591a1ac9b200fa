"""docs/watching.md: every setting stands there as it is, and every example is one that works."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from services.ingest.watching.configuration import Configuration, WatcherSettings
from services.ingest.watching.oktell import journal
from services.ingest.watching.sidecars import parse
from tests.unit.ingest.watching.test_oktell import HEAD, INBOUND

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "watching.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def row(name: str) -> str:
    field = WatcherSettings.model_fields[name]
    default = "required" if field.is_required() else ""
    if field.default and name != "suffixes" and not field.is_required():
        default = f"`{field.default:g}`" if isinstance(field.default, float) else f"`{field.default}`"
    return f"| `{name}` | {'all' if name == 'suffixes' else default} | {field.description} |"


def test_every_setting_is_documented_as_it_is() -> None:
    table = PAGE.partition("## All settings of a watcher")[2]
    found = [line for line in table.splitlines() if line.startswith("| `")]
    assert found == [row(name) for name in WatcherSettings.model_fields]


def test_every_example_of_a_watch_file_can_be_used() -> None:
    examples = blocks("toml")
    assert len(examples) >= 3
    for example in examples:
        used = Configuration.model_validate(tomllib.loads(example))
        assert used.watchers or used.patterns


def test_the_pattern_of_the_example_reads_the_name_of_the_example() -> None:
    (ours,) = [example for example in blocks("toml") if "patterns.ours" in example]
    (name,) = re.findall(r"external-\S+\.wav", PAGE)
    reading = Configuration.model_validate(tomllib.loads(ours)).read_with("ours").read(name)
    assert reading is not None
    assert (reading.direction, reading.operator, reading.call_id) == ("inbound", "101", "1769857512.42")


def test_the_example_of_a_sidecar_is_one() -> None:
    (example,) = blocks("json")
    assert parse("call.json", example.encode())["channels"] == "operator,customer"


def test_the_query_names_the_columns_that_are_read() -> None:
    (query,) = blocks("sql")
    assert all(column in query for column in HEAD.split(";"))
    assert len(journal(f"{HEAD}\n{INBOUND}\n".encode())) == 1
