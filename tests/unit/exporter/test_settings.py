from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.exporter.settings import ExporterSettings


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("EXPORTER_BOOTSTRAP_SERVERS", "localhost:9092")
    monkeypatch.setenv("EXPORTER_STORE_URL", "file:///store")
    return monkeypatch


def test_settings_come_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("EXPORTER_MAX_IN_FLIGHT", "4")
    settings = ExporterSettings()
    assert (settings.bootstrap_servers, settings.store_url, settings.max_in_flight) == (
        "localhost:9092",
        "file:///store",
        4,
    )


@pytest.mark.parametrize("number", ["0", "1001", "many"])
def test_the_window_in_flight_has_bounds(environment: pytest.MonkeyPatch, number: str) -> None:
    environment.setenv("EXPORTER_MAX_IN_FLIGHT", number)
    with pytest.raises(ValidationError):
        ExporterSettings()
