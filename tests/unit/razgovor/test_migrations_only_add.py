from __future__ import annotations

import re

import pytest

from pipeline.sql import Migration, migrations

#: What would take from under the release before what it reads. Views and functions are made anew, constraints may go.
TAKES_AWAY = re.compile(
    r"\b(DROP\s+(TABLE|COLUMN|SCHEMA|TYPE|SEQUENCE)|RENAME\s+(TO|COLUMN)|ALTER\s+COLUMN\s+\w+\s+(SET\s+DATA\s+)?TYPE)\b|^\s*TRUNCATE\b",
    re.IGNORECASE | re.MULTILINE,
)
PACKAGES = ("services.ingest.adapters.postgres.migrations", "services.ledger.adapters.postgres.migrations")
LATER = [step for package in PACKAGES for step in migrations(package) if step.number > 1]


@pytest.mark.parametrize("step", LATER, ids=lambda step: f"{step.number:04}_{step.name}")
def test_the_release_before_runs_on_the_database_of_this_one(step: Migration) -> None:
    code = re.sub(r"--[^\n]*", "", step.sql)
    assert TAKES_AWAY.search(code) is None


@pytest.mark.parametrize(
    "sql", ["ALTER TABLE a DROP COLUMN b", "alter table a rename to b", "ALTER TABLE a ALTER COLUMN b TYPE text"]
)
def test_what_takes_away_is_seen(sql: str) -> None:
    assert TAKES_AWAY.search(sql) is not None
