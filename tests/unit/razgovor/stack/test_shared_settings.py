from __future__ import annotations

from razgovor.stack.shared_settings import settings_of_all


def test_what_is_said_once_is_said_to_every_service() -> None:
    found = settings_of_all({"RAZGOVOR_KAFKA_USERNAME": "u", "RAZGOVOR_STORE_ACCESS_KEY": "k"}, ("ingest", "ledger"))
    assert found == {
        "INGEST_KAFKA_USERNAME": "u",
        "LEDGER_KAFKA_USERNAME": "u",
        "INGEST_STORE_ACCESS_KEY": "k",
        "LEDGER_STORE_ACCESS_KEY": "k",
    }


def test_what_a_service_is_told_by_itself_goes_before() -> None:
    environment = {"RAZGOVOR_KAFKA_USERNAME": "all", "INGEST_KAFKA_USERNAME": "own"}
    assert settings_of_all(environment, ("ingest", "ledger")) == {"LEDGER_KAFKA_USERNAME": "all"}


def test_other_variables_and_the_stacks_own_are_left_alone() -> None:
    environment = {"RAZGOVOR_MODEL": "base", "RAZGOVOR_STORE_URL": "s3://calls", "KAFKA_USERNAME": "u"}
    assert settings_of_all(environment, ("ingest",)) == {}
