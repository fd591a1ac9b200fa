from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from razgovor.evaluation.errors import ReferenceInvalid
from razgovor.evaluation.references import MAX_BYTES, Reference, find, read
from razgovor.transcription import recordings

TURNS = [{"channel": 0, "role": "operator", "start": 0.5, "end": 1.5, "text": "раз", "words": [{"word": "раз"}]}]


def write(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "value", "turns"),
    [
        ("a.json", {"kind": "stereo", "duration": 2.0, "turns": TURNS}, [(0, 0.5, "раз")]),
        ("a.json", {"channels": ["раз", "два"]}, [(0, None, "раз"), (1, None, "два")]),
        ("a.json", {"text": "раз два"}, [(None, None, "раз два")]),
        ("a.json", {"text": ""}, []),
        ("a.txt", "раз\nдва\n", [(None, None, "раз\nдва\n")]),
        ("a.txt", "\ufeffраз", [(None, None, "раз")]),
        ("a.txt", "", []),
    ],
)
def test_references_come_in_several_forms(tmp_path: Path, name: str, value: Any, turns: list[Any]) -> None:
    found = read(write(tmp_path / name, value))

    assert [(turn.channel, turn.start, turn.text) for turn in found.turns] == turns


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ([], "not a reference"),
        ({}, "not a reference"),
        ({"turns": [{"channel": -1, "text": "раз"}]}, "turns.0.channel"),
        ({"turns": [{"channel": 0, "start": "NaN", "text": "раз"}]}, "turns.0.start"),
        ({"channels": [1, 2]}, "turns.0.text"),
    ],
)
def test_what_is_no_reference_is_named_without_its_text(tmp_path: Path, value: Any, why: str) -> None:
    with pytest.raises(ReferenceInvalid, match=why) as refusal:
        read(write(tmp_path / "a.json", value))
    assert "раз" not in str(refusal.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ReferenceInvalid, match="UTF-8"):
        read(path)


def test_a_reference_may_not_be_huge(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ReferenceInvalid, match="16 MiB"):
        read(path)


def test_references_lie_beside_the_recordings(tmp_path: Path) -> None:
    write(tmp_path / "day" / "a.wav", "")
    write(tmp_path / "day" / "a.json", {"text": "раз"})
    write(tmp_path / "b.wav", "")

    found = find(recordings.find([tmp_path]), None)

    assert {name: [turn.text for turn in reference.turns] for name, reference in found.items()} == {
        "day/a.wav": ["раз"]
    }


def test_references_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    for name in ("day/a.wav", "b.wav", "c.wav"):
        write(tmp_path / "calls" / name, "")
    write(tmp_path / "refs" / "day" / "a.json", {"text": "раз"})
    write(tmp_path / "refs" / "b.txt", "два")
    write(
        tmp_path / "refs" / "list.json",
        [{"file": "c.wav", "text": "три"}, {"filename": "d.wav", "reference": "четыре"}],
    )

    found = find(recordings.find([tmp_path / "calls"]), tmp_path / "refs")

    assert {name: reference.turns[0].text for name, reference in found.items()} == {
        "day/a.wav": "раз",
        "b.wav": "два",
        "c.wav": "три",
    }


def test_an_entry_of_a_list_names_its_file(tmp_path: Path) -> None:
    write(tmp_path / "c.wav", "")
    write(tmp_path / "list.json", [{"text": "три"}])
    with pytest.raises(ReferenceInvalid, match="names no file"):
        find(recordings.find([tmp_path]), None)


def test_it_is_known_what_a_reference_knows() -> None:
    def of(value: dict[str, Any]) -> tuple[bool, bool]:
        found = Reference.model_validate(value)
        return found.timed, found.sided

    assert of({"turns": TURNS}) == (True, True)
    assert of({"channels": ["раз"]}) == (False, True)
    assert of({"text": "раз"}) == (False, False)
    assert of({"text": ""}) == (True, True)
