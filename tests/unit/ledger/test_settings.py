from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.ledger.settings import LedgerSettings


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("LEDGER_BOOTSTRAP_SERVERS", "localhost:9092")
    monkeypatch.setenv("LEDGER_STORE_URL", "file:///store")
    monkeypatch.setenv("LEDGER_DATABASE_URL", "postgresql://ledger:s3cret@db/razgovor")
    return monkeypatch


@pytest.mark.usefixtures("environment")
def test_settings_come_from_the_environment_and_hide_the_password() -> None:
    settings = LedgerSettings()
    assert settings.database_url.get_secret_value() == "postgresql://ledger:s3cret@db/razgovor"
    assert (settings.batch_max_events, settings.bill_reprocess) == (500, True)
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize("size", ["0", "501"])
def test_a_transaction_holds_one_to_five_hundred_events(environment: pytest.MonkeyPatch, size: str) -> None:
    environment.setenv("LEDGER_BATCH_MAX_EVENTS", size)
    with pytest.raises(ValidationError):
        LedgerSettings()
