"""`razgovor glossary check` through front end and engine, on a tiny model: told a prompt, it says nothing any more."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.blobs.folder import FolderStore
from razgovor.__main__ import app
from razgovor.demo import samples
from razgovor.glossary.shelf import Shelf
from razgovor.stack.layout import StackFolder
from services.transcriber.testing.tiny_whisper import build

CALL = "bank.wav"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tiny-whisper"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "razgovor-data"
    StackFolder(folder).store.mkdir(parents=True)
    return folder


def razgovor(*arguments: str, data: Path, window_s: float = 28.0) -> Result:
    environment = {"COLUMNS": "200", "INGEST_STORE_URL": None, "TRANSCRIBER_WINDOW_S": str(window_s)}
    return CliRunner().invoke(app, [*arguments, "--client", "acme", "--data", str(data)], env=environment)


def added(data: Path) -> str:
    terms = data.parent / "terms.txt"
    terms.write_text("Семейный плюс\nМегабит\n", encoding="utf-8")
    return razgovor("glossary", "add", "tariffs", str(terms), data=data).output.strip()


def checked(glossary_id: str, said: str, model: Path, data: Path, window_s: float = 28.0) -> Result:
    refs = data.parent / "refs"
    refs.mkdir(exist_ok=True)
    (refs / "bank.txt").write_text(said, encoding="utf-8")
    call = str(samples.folder() / CALL)
    told = ("glossary", "check", glossary_id, call, "--refs", str(refs), "--model", str(model))
    return razgovor(*told, data=data, window_s=window_s)


def test_what_passed_is_noted_for_the_model_and_the_settings_that_it_was_heard_with(data: Path, model: Path) -> None:
    glossary_id = added(data)
    shelf = Shelf(FolderStore(StackFolder(data).store), "acme")

    # Nothing of this is what the tiny model says, so silence is fewer errors.
    assert checked(glossary_id, "ничего подобного", model, data).exit_code == 0
    [first] = shelf.find(glossary_id).passed
    assert checked(glossary_id, "ничего подобного", model, data, window_s=18.0).exit_code == 0

    passed = shelf.find(glossary_id).passed
    assert len(passed) == 2
    assert {one.model_sha256 for one in passed} == {first.model_sha256}
    listed = razgovor("glossary", "list", data=data).output
    assert all(one.parameters_sha256[:12] in listed for one in passed)


def test_what_makes_more_errors_is_refused_and_noted_nowhere(data: Path, model: Path) -> None:
    glossary_id = added(data)

    refused = checked(glossary_id, "раз два три " * 4, model, data)

    assert (refused.exit_code, "more_errors" in refused.output) == (1, True)
    assert Shelf(FolderStore(StackFolder(data).store), "acme").find(glossary_id).passed == ()
