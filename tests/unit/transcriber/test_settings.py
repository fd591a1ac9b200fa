from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.transcriber.settings import TranscriberSettings

PEERS = {"TRANSCRIBER_BOOTSTRAP_SERVERS": "localhost:9092", "TRANSCRIBER_STORE_URL": "file:///srv/store"}


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> TranscriberSettings:
    for name, value in {**PEERS, **variables}.items():
        monkeypatch.setenv(name, value)
    return TranscriberSettings()


def test_defaults_suit_a_two_core_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = settings(monkeypatch)

    assert (chosen.model, chosen.device, chosen.compute_type) == ("base", "cpu", "int8")
    assert (chosen.workers, chosen.threads, chosen.batch_size, chosen.beam_size) == (2, 1, 4, 5)


def test_variables_are_read_by_their_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = settings(monkeypatch, TRANSCRIBER_MODEL="large-v3-turbo", TRANSCRIBER_SCRATCH_DIR="/scratch")

    assert (chosen.model, chosen.scratch_dir) == ("large-v3-turbo", Path("/scratch"))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TRANSCRIBER_WINDOW_S", "30"),
        ("TRANSCRIBER_BEAM_SIZE", "0"),
        ("TRANSCRIBER_DEVICE", "abacus"),
        ("TRANSCRIBER_MAX_DURATION_S", "0"),
    ],
)
def test_what_cannot_work_is_refused(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    with pytest.raises(ValidationError):
        settings(monkeypatch, **{variable: value})


def test_devices_are_numbers_between_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch).devices == (0,)
    assert settings(monkeypatch, TRANSCRIBER_DEVICES="0, 2").devices == (0, 2)
    with pytest.raises(ValidationError):
        settings(monkeypatch, TRANSCRIBER_DEVICES="first")
