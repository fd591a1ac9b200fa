from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from razgovor.__main__ import app
from razgovor.stack.layout import StackFolder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "razgovor-data"
    StackFolder(folder).store.mkdir(parents=True)
    return folder


def razgovor(*arguments: str, data: Path) -> Result:
    return CliRunner().invoke(
        app, [*arguments, "--data", str(data)], env={"COLUMNS": "200", "INGEST_DATABASE_URL": None}
    )


def added(data: Path, terms: str = "Семейный плюс\nМегабит\n") -> str:
    file = data.parent / "terms.txt"
    file.write_text(terms, encoding="utf-8")
    result = razgovor("glossary", "add", "tariffs", str(file), "--client", "acme", data=data)
    assert result.exit_code == 0, result.output
    return result.output.strip()


def test_a_glossary_is_added_listed_and_removed(data: Path) -> None:
    glossary_id = added(data)

    listed = razgovor("glossary", "list", "--client", "acme", data=data)
    assert glossary_id in listed.output
    assert razgovor("glossary", "remove", glossary_id, "--client", "acme", data=data).exit_code == 0
    assert glossary_id not in razgovor("glossary", "list", "--client", "acme", data=data).output


def test_what_is_no_glossary_ends_with_what_is_wrong(data: Path) -> None:
    file = data.parent / "terms.txt"
    file.write_text("а\nа\n", encoding="utf-8")

    result = razgovor("glossary", "add", "tariffs", str(file), "--client", "acme", data=data)

    assert (result.exit_code, "twice" in result.output) == (1, True)


def test_a_client_with_an_impossible_name_is_refused(data: Path) -> None:
    assert razgovor("glossary", "list", "--client", "../x", data=data).exit_code == 2
