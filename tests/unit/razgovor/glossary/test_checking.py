"""What a glossary is allowed or refused by: calls heard without and with it, by an engine that listens to what it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.contracts.glossary import Glossary, GlossaryCheck
from razgovor.evaluation.references import SILENCE, Reference, SaidTurn
from razgovor.evaluation.run import Task
from razgovor.glossary.checking import check
from razgovor.local_transcriber import local_transcriber, settings
from razgovor.transcription.recordings import Recording
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.windows import HeardWord, Window, WindowWords
from services.transcriber.fakes import FakeEngine
from tests.unit.razgovor.fake_children import Children

GLOSSARY = Glossary(name="tariffs", terms=("Семейный плюс", "Мегабит"))
UNTOLD, TOLD = "подключите мегабит", "подключите мегабайт"


class Suggestible(FakeEngine):
    """Hears one thing in each window untold, and another where a prompt tells it what to expect."""

    def __init__(self, untold: str, told: str) -> None:
        super().__init__()
        self._texts = {"": untold, GLOSSARY.prompt: told}

    def transcribe(self, windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:
        heard = super().transcribe(windows, hearing)
        words = tuple(
            HeardWord(f" {word}", index * 0.5, index * 0.5 + 0.4, 0.9)
            for index, word in enumerate(self._texts[hearing.prompt].split())
        )
        return [replace(each, words=words) for each in heard]


def said(text: str) -> Reference:
    """By both channels, when `FakeFrontEnd` has them speak."""
    return Reference(
        turns=(
            SaidTurn(channel=0, start=1.0, end=3.0, text=text),
            SaidTurn(channel=1, start=4.0, end=6.0, text=text),
        )
    )


def checked(folder: Path, engine: FakeEngine, *references: Reference) -> tuple[GlossaryCheck, list[str]]:
    to_do = []
    for index, reference in enumerate(references):
        path = folder / f"{index}.wav"
        path.write_bytes(path.name.encode())
        to_do.append(Task(Recording(path, path.name, path.stem), reference))
    done: list[str] = []
    with local_transcriber(settings(scratch_dir=folder), children=Children(engine)) as transcriber:
        return check(GLOSSARY, transcriber, to_do, language="ru", done=done.append), done


@pytest.mark.parametrize(
    ("truth", "errors", "refusal"),
    [(UNTOLD, (0, 2), "more_errors"), (TOLD, (2, 0), None), ("подключите гигабит", (2, 2), None)],
)
def test_a_glossary_is_refused_where_it_makes_more_errors(
    tmp_path: Path, truth: str, errors: tuple[int, int], refusal: str | None
) -> None:
    found, _ = checked(tmp_path, Suggestible(UNTOLD, TOLD), said(truth))

    assert (found.words, found.errors_without, found.errors_with) == (4, *errors)
    assert found.refusal == refusal


def test_words_where_nobody_speaks_refuse_it_however_much_it_helps(tmp_path: Path) -> None:
    found, _ = checked(tmp_path, Suggestible("", "мегабайт"), *[said("мегабайт")] * 2, SILENCE)

    assert (found.errors_without, found.errors_with) == (4, 2)
    assert (found.silence_words_without, found.silence_words_with) == (0, 2)
    assert found.refusal == "words_on_silence"


def test_every_recording_is_heard_without_and_with_it(tmp_path: Path) -> None:
    engine = Suggestible(UNTOLD, TOLD)

    found, done = checked(tmp_path, engine, said(UNTOLD), said(TOLD))

    assert [hearing.prompt for hearing in engine.hearings] == ["", "", GLOSSARY.prompt, GLOSSARY.prompt]
    assert sorted(done) == ["0.wav", "0.wav", "1.wav", "1.wav"]
    assert found.calls == 2


def test_it_says_which_model_heard_and_how(tmp_path: Path) -> None:
    found, _ = checked(tmp_path, Suggestible(UNTOLD, TOLD), said(UNTOLD))

    facts = FakeEngine.facts
    assert (found.glossary_id, found.model) == (GLOSSARY.glossary_id, facts.model)
    assert (found.model_sha256, found.parameters_sha256) == (facts.model_sha256, facts.parameters_sha256)
