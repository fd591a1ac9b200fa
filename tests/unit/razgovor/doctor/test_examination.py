"""The whole examination with peers at hand, and the model's row."""

from __future__ import annotations

from pathlib import Path

import pytest

from razgovor.doctor.addresses import read_addresses
from razgovor.doctor.examination import Probes, Subject, check_model, examine
from razgovor.doctor.finding import State
from services.transcriber.models import testing

PEERS_AT_HAND = Probes(
    broker=lambda _: "answers",
    mock_broker=lambda: "loads",
    database=lambda _: "answers",
    embedded_database=lambda: "starts",
    store=lambda _: "takes a write",
    folder=lambda _: "takes a write",
)


def test_everything_that_the_doctor_promises_is_looked_at(tmp_path: Path) -> None:
    subject = Subject(addresses=read_addresses({}), cache=tmp_path / "cache", data=tmp_path)
    subjects = {finding.subject for finding in examine(subject, PEERS_AT_HAND)}
    promised = {"broker", "database", "store", "model", "disk", "memory", "python", "clock"}
    assert promised | {"packages", "processor", "accelerator"} == subjects


def test_nothing_is_written_by_looking(tmp_path: Path) -> None:
    subject = Subject(addresses=read_addresses({}), cache=tmp_path / "cache", data=tmp_path / "data")
    assert list(examine(subject, PEERS_AT_HAND))
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_absent_is_missing_and_the_command_and_folder_are_named(tmp_path: Path) -> None:
    finding, model_bytes, missing_bytes = check_model("turbo", tmp_path)
    assert finding.state is State.MISSING
    assert "razgovor models get large-v3-turbo" in finding.advice
    assert str(tmp_path / "models" / "large-v3-turbo") in finding.advice
    assert model_bytes == missing_bytes == 1_618_000_000


def test_a_model_filled_by_hand_is_a_warning(tmp_path: Path) -> None:
    testing.fill(tmp_path / "models" / "small")
    finding, model_bytes, missing_bytes = check_model("small", tmp_path)
    assert finding.state is State.WARNING
    assert testing.sha256(testing.FILES["model.bin"])[:12] in finding.found
    assert (model_bytes, missing_bytes) == (sum(map(len, testing.FILES.values())), 0)


def test_a_damaged_model_is_missing(tmp_path: Path) -> None:
    testing.fill(tmp_path / "models" / "small", {"model.bin": b"alone"})
    finding, _, _ = check_model("small", tmp_path)
    assert finding.state is State.MISSING
    assert "tokenizer.json missing" in finding.found


@pytest.mark.parametrize("name", ["gigantic", "/nowhere/at/all"])
def test_a_model_that_nobody_knows_is_missing(tmp_path: Path, name: str) -> None:
    finding, _, _ = check_model(name, tmp_path)
    assert finding.state is State.MISSING
    assert "razgovor models list" in finding.advice
